"""Settings as people write them: a value, or one SettingsError that says where and what instead; never a traceback."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

import settings
from settings import SettingsError, parse

CILIUM = {"cni": "cilium"}


def refusal(stack: dict[str, Any], site: Any = None) -> str:
    with pytest.raises(SettingsError) as caught:
        parse({**CILIUM, **stack}, site)
    return str(caught.value)


def site_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: bytes) -> Any:
    (tmp_path / "site.yaml").write_bytes(data)
    monkeypatch.setenv(settings.SITE_VARIABLE, str(tmp_path / "site.yaml"))
    return settings.site()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1: x", "1: the key 1 (in CNI_MIGRATION_SITE) is no text; write it in quotes"),
        ("traffic:\n  on: true", "traffic.True: the key True"),
        ("cluster: {null: 1}", "cluster.None: the key None"),
        ("cluster: {2024-01-01: 1}", "cluster.2024-01-01: the key 2024-01-01"),
        ("cilium: {values: {a: {b: [{on: 1}]}}}", "cilium.values.a.b[0].True: the key True"),
        ("cilium: {values: {a: [2024-01-01]}}", "cilium.values.a[0]: 2024-01-01 (in CNI_MIGRATION_SITE) is a date"),
        ("cilium: {values: {a: !!binary aGk=}}", "cilium.values.a: b'hi' (in CNI_MIGRATION_SITE) is a bytes"),
        ("cilium: {values: {a: !!set {b}}}", "is a set to YAML, not text; write it in quotes"),
        ("cilium: {values: {a: .nan}}", "cilium.values.a: nan (in CNI_MIGRATION_SITE) is no finite number"),
        ("traffic: {hertz: .inf}", "traffic.hertz: inf (in CNI_MIGRATION_SITE) is no finite number"),
        ("cluster: {name: 2024-01-01}", "cluster.name: 2024-01-01 (in CNI_MIGRATION_SITE) is a date"),
        ("cluster: {workers: 010}", "a number with a leading zero is octal to YAML: write 10 or 8"),
        ("cilium: {values: {mode: 0400}}", "cilium.values.mode: 0400 (in CNI_MIGRATION_SITE) is refused"),
        ("cluster: {workers: +1}", "cluster.workers: +1 (in CNI_MIGRATION_SITE) is the number 1 to YAML"),
        ("cilium: {values: {port: 22:22}}", "22:22 (in CNI_MIGRATION_SITE) is the number 1342 to YAML"),
        ("cluster: {workers: 2}\ncluster: {workers: 3}", "cluster: given twice (in CNI_MIGRATION_SITE)"),
        ("cilium: {values: {a: {b: 1, b: 2}}}", "cilium.values.a.b: given twice"),
        ("cluster.workers: 3", "one key with dots (in CNI_MIGRATION_SITE); nest it: cluster: {workers: 3}"),
        (
            "cluster: {workers: many}",
            "cluster.workers: 'many' must be a whole number from 0 to 50 (in CNI_MIGRATION_SITE)",
        ),
    ],
)
def test_what_yaml_reads_otherwise_than_people_is_refused_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, says: str
) -> None:
    found = refusal({}, site_of(monkeypatch, tmp_path, text.encode()))
    assert says in found, "the user would get a traceback, or a value that the file does not seem to say"
    assert found.count("\n  - ") == 1, f"the user would look for several mistakes where there is one: {found}"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("# für".encode("latin-1"), "is not in UTF-8"),
        (b"cluster: [", "is no YAML that can be read"),
        (b"a: 2024-13-45", "is no YAML that can be read"),
        (b"a: !!bool x", "is no YAML that can be read"),
        (b"a: !!int ''", "is no YAML that can be read"),
        (b"a: " + b"9" * 5000, "is no YAML that can be read"),
        (b"a: &a [*a]", "refers to itself"),
        (b"[" * 2000, "is nested too deeply"),
        (b"- 1", "holds no mapping of settings"),
    ],
)
def test_a_site_file_that_cannot_be_read_is_named_by_its_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: bytes, says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        site_of(monkeypatch, tmp_path, data)
    assert says in str(caught.value), "the user would get a traceback of the YAML library's"
    assert str(tmp_path / "site.yaml") in str(caught.value), "the user would not know which file to mend"


def test_mistakes_of_the_file_s_text_and_of_the_stack_come_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = refusal({"cluster": {"name": "A"}}, site_of(monkeypatch, tmp_path, b"cluster: {workers: 010, workers: 3}"))
    for part in ("leading zero", "given twice", "cluster.name: 'A'"):
        assert part in found, f"the user would mend one mistake an attempt; missing: {part}"


def test_a_section_whose_keys_are_all_comments_counts_as_not_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = site_of(monkeypatch, tmp_path, b"cluster:\n  # workers: 3\n")
    assert parse(CILIUM, site) == parse(CILIUM), "the user would have to comment out the section's name as well"


@pytest.mark.parametrize(
    ("stack", "says"),
    [
        ({"cluster": "foo"}, "cluster: 'foo' (in stack) must be a mapping"),
        ({"cluster": ["foo"]}, "cluster: ['foo'] (in stack) must be a mapping"),
        ({"migration": {"budget": 3}}, "migration.budget: 3 (in stack) must be a mapping"),
        ({"cluster": {"workers": "two"}, "migration": {"nodeOrder": ["a"]}}, "cluster.workers: 'two'"),
        ({"cluster.workers": "3"}, "set it with --path: pulumi config set --path cni-migration:cluster.workers 3"),
        ({"migration": {"budget.failedConnections": "3"}}, "--path migration:budget.failedConnections 3"),
        ({"cluster": {"workers": "010"}}, "without leading zeros, which YAML reads as octal; write 10"),
        ({"cluster": {"workers": "+1"}}, "'+1' must be a whole number"),
        ({"cluster": {"workers": "1_0"}}, "'1_0' must be a whole number"),
        ({"cluster": {"workers": "\u0663"}}, "'\u0663' must be a whole number"),
        ({"cluster": {"workers": "9" * 5000}}, "must be a whole number"),
        ({"cluster": {"workers": None}}, "cluster.workers: None must be a whole number from 0 to 50 (in stack)"),
        ({"traffic": {"hertz": "05"}}, "traffic.hertz: '05' must be a number"),
        ({"traffic": {"enabled": 1}}, "traffic.enabled: 1 must be true or false (in stack)"),
        (
            {"traffic": {"enabled": False, "outside": True}, "migration": {"strategy": "recreate"}},
            "traffic.outside: true, and traffic.enabled is false",
        ),
        (
            {"cilium": {"version": 1.19}},
            'cilium.version: 1.19 must be text that is not empty; write it in quotes, such as "1',
        ),
        ({"cilium": {"values": {"hubble.relay.enabled": False}}}, "write hubble: {relay: {enabled: false}}"),
        ({"cilium": {"values": {"hubble": {"relay.enabled": 1}}}}, "cilium.values.hubble: 'relay.enabled' is one key"),
        ({"cilium": {"values": {"a": datetime.date(2024, 1, 1)}}}, "cilium.values.a: 2024-01-01 (in stack) is a date"),
        ({"cilium": {"values": {"a": "\ud800"}}}, "holds what is no character"),
        ({"cluster": {"nodeImage": 3}}, "cluster.nodeImage: 3 must be text"),
        *(
            ({"cluster": {"podSubnet": subnet}}, f"cluster.podSubnet: {subnet!r} is no IPv4 network")
            for subnet in ("10.0.0.0/016", "10.0.0.1/16", " 10.0.0.0/16", "10.0.0.0", "10.0.0.0/255.0.0.0", "", "::/8")
        ),
        *(
            ({"cluster": {key: subnet}}, f"cluster.{key}: {subnet!r} is refused")
            for key in ("podSubnet", "serviceSubnet")
            for subnet in (
                *("127.0.0.0/8", "127.4.0.0/16", "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/16", "240.0.0.0/8"),
                *("0.0.0.0/0", "10.0.0.0/7"),
            )
        ),
        *(
            ({"cluster": {"name": name}}, f"cluster.name: {name!r} is refused")
            for name in ("a..b", "a.-b", "a-.b", "a.", ".a", "-a", "Ab", "a_b", "a" * 41)
        ),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_what_to_write(stack: dict[str, Any], says: str) -> None:
    found = refusal(stack)
    assert says in found, "the user would find out on a cluster that is already half made"
    assert found.count("\n  - ") == 1, f"the user would search for causes among consequences: {found}"


def test_names_of_kubernetes_keep_their_dots_in_helm_values() -> None:
    values = {"nodeSelector": {"kubernetes.io/os": "linux"}, "podLabels": {"a.b": "c"}, "x": [{"a.b": 1}]}
    found = parse({**CILIUM, "cilium": {"values": values}}).cilium.values
    assert found == values, "a label could not be set at all"


@pytest.mark.parametrize(
    ("tag", "version"),
    [("v1.36.0-rc.1", "v1.36.0-rc.1"), ("v1.34.4-kit", "v1.34.4"), ("v1.36.0-alpha.2@sha256:00", "v1.36.0-alpha.2")],
)
def test_kube_proxy_is_of_the_node_image_s_whole_version(tag: str, version: str) -> None:
    found = parse({"cni": "flannel", "cluster": {"nodeImage": f"kindest/node:{tag}"}}).images.kube_proxy
    assert found == f"registry.k8s.io/kube-proxy:{version}", "kube-proxy's image would be one that was never published"


@pytest.mark.parametrize("name", ["a", "a.b", "a-b.c-1", "a" * 40])
def test_a_name_of_labels_joined_by_dots_is_taken(name: str) -> None:
    assert parse({**CILIUM, "cluster": {"name": name}}).cluster.name == name, "kind would have taken the name"


@pytest.mark.parametrize("first", ["cni-migration:migration", "migration:strategy"])
@pytest.mark.parametrize("section", ["rolling", '{"atATime": 1}', "", "{broken"])
def test_both_spellings_of_migration_end_in_a_tree(monkeypatch: pytest.MonkeyPatch, first: str, section: str) -> None:
    given = {"cni-migration:migration": section, "migration:strategy": "rolling", "odd": "x"}
    ordered = {first: given[first], **given}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(ordered))
    pulumi.runtime.set_all_config(ordered)
    found = settings.stack_config()["migration"]
    pulumi.runtime.set_all_config({})
    wanted = {"rolling": "rolling", "{broken": "{broken", "": {"strategy": "rolling"}}
    assert found == wanted.get(section, {"atATime": 1, "strategy": "rolling"}), "one of the two would be lost unseen"
