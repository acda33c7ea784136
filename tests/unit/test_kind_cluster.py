"""KindCluster: kind's config, the names kind gives, and what a running cluster cannot follow."""

from __future__ import annotations

from dataclasses import replace

from components.cluster.kind_cluster import KindClusterArgs, differences, kind_config
from plan.observation import Node, Observed
from plan.ownership import Claim
from settings.kind import node_names
from settings.strategy import RECREATE

CLAIM = Claim(stack="cilium", cni="cilium", generation="g", epoch=1, strategy=RECREATE, due=True)
ARGS = KindClusterArgs(
    name="c",
    control_planes=1,
    workers=1,
    pod_subnet="10.244.0.0/16",
    service_subnet="10.96.0.0/16",
    node_image="kindest/node:v1.34.11@sha256:abc",
    observed=None,
    claim=CLAIM,
)
RUNNING = Observed(
    nodes=(
        Node(name="c-control-plane", role="control-plane", image="kindest/node:v1.34.11", state="running", started="t"),
        Node(name="c-worker", role="worker", image="kindest/node:v1.34.11", state="running", started="t"),
    ),
    pod_subnet="10.244.0.0/16",
    service_subnet="10.96.0.0/16",
    marker=None,
)


def test_kind_brings_neither_a_cni_nor_kube_proxy() -> None:
    networking = kind_config(ARGS)["networking"]
    assert networking["disableDefaultCNI"] is True, "kindnet would own the podCIDR beside the chosen CNI"
    assert networking["kubeProxyMode"] == "none", "kube-proxy would serve Services beside Cilium"
    assert networking["podSubnet"] == "10.244.0.0/16"


def test_every_node_is_made_from_the_image_of_the_settings() -> None:
    nodes = kind_config(replace(ARGS, control_planes=3, workers=2))["nodes"]
    assert [node["role"] for node in nodes] == ["control-plane"] * 3 + ["worker"] * 2
    assert {node["image"] for node in nodes} == {ARGS.node_image}, "kind would pull its own default for one node"


def test_node_names_are_those_that_kind_gives() -> None:
    assert node_names("c", 2, 2) == ["c-control-plane", "c-control-plane2", "c-worker", "c-worker2"], (
        "the clean-up would look for containers that do not exist"
    )


def test_a_cluster_that_fits_is_adopted_whatever_digest_its_image_was_pulled_by() -> None:
    assert differences(replace(ARGS, observed=RUNNING)) == [], "nobody could adopt a cluster that fits"


def test_every_setting_that_a_running_cluster_cannot_follow_is_named() -> None:
    asked = replace(
        ARGS,
        observed=RUNNING,
        workers=2,
        pod_subnet="10.245.0.0/16",
        service_subnet="10.97.0.0/16",
        node_image="kindest/node:v1.35.8",
    )
    found = "\n".join(differences(asked))
    for key in ("cluster.workers", "cluster.podSubnet", "cluster.serviceSubnet", "cluster.nodeImage"):
        assert key in found, f"a changed {key} would be a silent no-op"
    assert "10.245.0.0/16" in found and "10.244.0.0/16" in found, "the difference must name both values"
