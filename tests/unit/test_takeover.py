"""What a takeover removes and clears, and what it leaves."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest

from steps import node_clean, old_cni, takeover
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.names import CORDONED, READY_BEFORE
from steps.nodes import Node, node_from


class Quiet:
    """A kubectl with the objects that it is made with, which notes what is deleted."""

    kubeconfig = Path("nowhere")

    def __init__(self, found: list[dict[str, Any]] | None = None) -> None:
        self.found, self.deleted = found or [], list[tuple[str, ...]]()
        self.ran: list[tuple[str, ...]] = []

    def objects(self, kind: str) -> list[dict[str, Any]]:
        return self.found

    def delete(self, *what: str) -> None:
        self.deleted.append(what)

    def act(self, *_: str) -> None: ...

    def run(self, *args: str) -> str:
        self.ran.append(args)
        return ""

    def wait(self, *_: str, until: str, seconds: int) -> None: ...


def keep_nothing(_: object) -> None: ...


@pytest.mark.parametrize("unschedulable", [True, False])
def test_a_takeover_clears_what_a_move_that_was_cut_off_has_noted(
    unschedulable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = node_from(
        {"metadata": {"name": "n", "annotations": {CORDONED: "true"}}, "spec": {"unschedulable": unschedulable}}
    )
    by_user = node_from({"metadata": {"name": "u"}, "spec": {"unschedulable": True}})
    lifted: list[str] = []

    quiet = Quiet()

    @contextmanager
    def begin(_: object) -> Generator[Quiet]:
        yield quiet

    def nothing(*_: object, **__: object) -> None: ...

    def both(_: object) -> list[Node]:
        return [noted, by_user]

    def lift_cordon(_: object, name: str) -> None:
        lifted.append(name)

    monkeypatch.setattr(takeover, "begin", begin)
    for name in ("remove_cilium", "remove_flannel_by_name", "remove_kube_proxy", "forget_flannel", "untaint"):
        monkeypatch.setattr(takeover, name, nothing)
    monkeypatch.setattr(takeover, "nodes", both)
    monkeypatch.setattr(takeover, "lift_cordon", lift_cordon)
    claim = {"cluster": "c", "stack": "s", "cni": "flannel", "epoch": "2", "control_plane": "cp", "mark": ""}
    takeover.takeover(takeover.Needs(**claim))
    assert lifted == ["n"], "a user's own cordon would be lifted: now, or the next one, which such a note would disown"
    assert ("annotate", "nodes", "--all", f"{READY_BEFORE}-") in quiet.ran, (
        "a later move would wait for Pods of long ago"
    )


def test_another_project_s_kinds_in_cilium_s_group_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    present = ("ciliumnodes.cilium.io", "tracingpolicies.cilium.io", "gateways.gateway.networking.k8s.io")
    quiet = Quiet([{"metadata": {"name": name}} for name in present])

    def releases(*_: object) -> list[str]:
        return []

    def remove_namespace(*_: object, wait: bool) -> None: ...

    monkeypatch.setattr(old_cni.helm, "releases", releases)
    monkeypatch.setattr(old_cni.kept_objects, "keep", keep_nothing)
    monkeypatch.setattr(old_cni, "remove_namespace", remove_namespace)
    old_cni.remove_cilium(cast("Kubectl", quiet))
    kinds = [what[1:] for what in quiet.deleted if what[0] == "customresourcedefinitions"]
    assert kinds == [("ciliumnodes.cilium.io",)], "every TracingPolicy of Tetragon's would go with its kind"


def test_a_helm_that_does_not_answer_is_no_cluster_without_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    def releases(*_: object) -> list[str]:
        raise ToolError("helm does not answer")

    quiet = Quiet()
    monkeypatch.setattr(old_cni.helm, "releases", releases)
    monkeypatch.setattr(old_cni.kept_objects, "keep", keep_nothing)
    with pytest.raises(ToolError):
        old_cni.remove_cilium(cast("Kubectl", quiet))
    assert quiet.deleted == [], "the release's agents would run on with their CustomResourceDefinitions gone"


def test_a_node_is_cleaned_of_routes_by_way_of_each_node_of_its_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [{"type": "InternalIP", "address": "172.18.0.2"}, {"type": "Hostname", "address": "n"}]
    items = [
        {"metadata": {"name": "n"}, "status": {"addresses": addresses}},
        {"metadata": {"name": "m"}, "status": {"addresses": [{"type": "InternalIP", "address": "172.18.0.3"}]}},
    ]
    asked: list[dict[str, str]] = []

    @contextmanager
    def cluster(_: str) -> Generator[Quiet]:
        yield Quiet(items)

    def on_node(node: str, script: str, *, stdin: str = "", env: dict[str, str]) -> str:
        asked.append({"node": node, "script": script, "stdin": stdin, **env})
        return "now" if script == "clean" else ""

    monkeypatch.setattr(node_clean, "cluster", cluster)
    monkeypatch.setattr(node_clean, "on_node", on_node)
    monkeypatch.setattr(node_clean.sys, "stdin", StringIO("table"))
    needs = node_clean.Needs(cluster="c", node="n", pod_subnet="10.244.0.0/16", control_plane="cp", mark="")
    assert node_clean.node_clean(needs) == "now"
    assert asked[0] == {"node": "n", "script": "clean", "stdin": "table", "PEERS": "172.18.0.3 172.18.0.2"}, (
        "routes to the old CNI's Pods would stay on the node"
    )
    assert asked[1:] == [{"node": "n", "script": "forget_pods", "stdin": "", "POD_SUBNET": "10.244.0.0/16"}], (
        "a later Pod's connections would be sent to one that has gone"
    )
