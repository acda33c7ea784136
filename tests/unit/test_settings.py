"""Settings: every mistake at once, with the key, the value and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from settings import SettingsError, parse


def errors_of(stack: dict[str, Any], site: dict[str, Any] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(stack, site)
    return str(caught.value)


def test_a_stack_that_names_its_cni_and_nothing_else_gets_the_public_images() -> None:
    settings = parse({"cni": "cilium"})
    assert settings.cilium.repository == "https://helm.cilium.io", "a machine with internet must need no site file"
    assert settings.images.kube_proxy.endswith(":v1.34.11"), "kube-proxy must be of the node image's own version"


def test_the_stack_wins_over_the_site_and_the_site_over_the_defaults() -> None:
    site = {"cluster": {"nodeImage": "site/node:v1.34.4-kit", "workers": 1}}
    settings = parse({"cni": "flannel", "cluster": {"workers": 3}}, site)
    assert settings.cluster.workers == 3, "what the stack says is what its user reviews"
    assert settings.cluster.node_image == "site/node:v1.34.4-kit", "the machine's own images would not be used"


def test_helm_values_of_the_site_and_the_stack_are_merged_key_by_key() -> None:
    settings = parse(
        {"cni": "cilium", "cilium": {"values": {"hubble": {"relay": {"replicas": 2}}}}},
        {"cilium": {"values": {"hubble": {"ui": {"enabled": False}}}}},
    )
    assert settings.cilium.values == {"hubble": {"ui": {"enabled": False}, "relay": {"replicas": 2}}}, (
        "one override in a stack would throw away all of the site's"
    )


def test_every_mistake_is_reported_at_once() -> None:
    text = errors_of(
        {
            "cni": "calico",
            "cluster": {"name": "My_Cluster", "workers": 0, "podSubnet": "10.96.0.0/20", "worker": 2},
            "migration": {"strategy": "magic"},
        }
    )
    for part in ("'calico'", "'My_Cluster'", "cluster.workers: 0", "overlap", "cluster.worker: unknown", "'magic'"):
        assert part in text, f"the user would mend one mistake an attempt; missing: {part}"


@pytest.mark.parametrize(
    ("stack", "says"),
    [
        ({}, "cni: is not set; set it to one of: flannel, cilium"),
        ({"cni": "cilium", "cnni": "x"}, "cnni: unknown key (in stack); the keys are cilium, cluster, cni"),
        ({"cni": "cilium", "cluster": {"podSubnet": "10.244.0.1/16"}}, "cluster.podSubnet: '10.244.0.1/16' is no IPv4"),
        ({"cni": "cilium", "cluster": {"podSubnet": "10.244.0.0/24"}}, "too small: it holds 1 ranges of /24"),
        ({"cni": "cilium", "cluster": {"serviceSubnet": "10.96.0.0/29"}}, "cluster.serviceSubnet 10.96.0.0/29 is too"),
        ({"cni": "cilium", "cluster": "big"}, "cluster: 'big' (in stack) must be a mapping"),
        ({"cni": "cilium", "cluster": {"workers": "two"}}, "cluster.workers: 'two' must be a whole number from 0"),
        ({"cni": "cilium", "cluster": {"workers": True}}, "cluster.workers: True must be a whole number"),
        (
            {"cni": "cilium", "cluster": {"nodeImage": "kindest/node:latest"}},
            "its tag must name the Kubernetes version",
        ),
        ({"cni": "cilium", "images": {"probe": ""}}, "images.probe: '' must be text that is not empty"),
        ({"cni": "cilium", "cilium": {"values": 3}}, "cilium.values: 3 (in stack) must be a mapping"),
        ({"cni": "cilium", "cilium": {"version": "newest"}}, "cilium.version: 'newest' is refused"),
    ],
)
def test_a_mistake_names_the_key_the_value_and_the_remedy(stack: dict[str, Any], says: str) -> None:
    assert says in errors_of(stack), "the user would have to guess what to write instead"


def test_a_mistake_in_the_site_file_says_that_it_is_there() -> None:
    assert "image: unknown key (in CNI_MIGRATION_SITE)" in errors_of({"cni": "cilium"}, {"image": {}}), (
        "the user would search the stack's file for a key that is not in it"
    )


def test_numbers_as_pulumi_config_set_writes_them_are_numbers() -> None:
    assert parse({"cni": "cilium", "cluster": {"workers": "3"}}).cluster.workers == 3, "`config set` stores text"
