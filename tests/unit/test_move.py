"""The order of a node's move, in both directions, what a fault on the way leaves, and what a takeover removes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from steps import node_move, old_cni, takeover
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.names import CORDONED
from steps.nodes import Node, node_from
from steps.pods import Pod
from steps.running import StepError

POD: dict[str, Any] = {
    "namespace": "a",
    "name": "web",
    "uid": "u1",
    "node": "n",
    "created": "2026-01-01T00:00:00Z",
    "phase": "Running",
    "state": "ready",
}


class World:
    """The doors and helpers of a move, which only note that they were called."""

    def __init__(self, owner: str, cordoned: Any = "no") -> None:
        self.done: list[str] = []
        self.bare: list[Any] = []
        self.faults: dict[str, Exception] = {}
        self.node = Node(
            name="n",
            pod_cidr="10.244.1.0/24",
            address="172.18.0.3",
            owner=owner,
            ready=True,
            cordoned=cordoned,
            taints=(),
            annotations={},
            allocatable={},
        )

    def act(self, what: str) -> None:
        self.done.append(what)
        if what in self.faults:
            raise self.faults[what]

    # What the move asks of kubectl itself: that the Pods of an agent are gone.
    def wait(self, *what: str, until: str, seconds: int) -> None:
        agent = next(word for word in what if word.startswith("--selector=")).removeprefix("--selector=")
        self.act(f"{agent} gone")


class Quiet:
    """A kubectl with the objects that it is made with, which notes what is deleted."""

    kubeconfig = Path("nowhere")

    def __init__(self, found: list[dict[str, Any]] | None = None) -> None:
        self.found, self.deleted = found or [], list[tuple[str, ...]]()

    def objects(self, kind: str) -> list[dict[str, Any]]:
        return self.found

    def delete(self, *what: str) -> None:
        self.deleted.append(what)

    def act(self, *_: str) -> None: ...

    def wait(self, *_: str, until: str, seconds: int) -> None: ...


def move(world: World, cni: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def begin(_: object) -> Generator[World]:
        yield world

    def pods(_: object, **__: str) -> list[Any]:
        world.act("list Pods")
        return world.bare

    patches: dict[str, Any] = {
        "begin": begin,
        "node": lambda _, name: world.node,
        "on_pod_network": pods,
        "label": lambda _, name, **labels: world.act(f"label {labels}"),
        "cordon": lambda _, name: world.act("cordon"),
        "lift_cordon": lambda _, name: world.act("uncordon"),
        "on_node": lambda name, script, env: world.act(f"{script} {env['STEP']}"),
        "nodes": lambda _: [world.node],
        "clean": lambda name, table, peers: world.act(f"clean {table}"),
        "await_pod": lambda _, name, agent, seconds: world.act(f"{agent} ready"),
        "introduce_nodes": lambda _: world.act("introduce"),
        "evict_pods_of_node": lambda _, name, seconds, but=(): world.act("drain" if but else "evict the rest"),
        "renew_pending_pods": lambda _, name: world.act("renew"),
        "await_pods_of_node": lambda _, name, seconds: world.act("Pods ready"),
        "blocking_budgets": lambda _: ["a/budget"],
    }
    for name, stand_in in patches.items():
        monkeypatch.setattr(node_move, name, stand_in)
    needs = node_move.Needs(
        cluster="c",
        stack="s",
        cni=cni,
        epoch="2",
        control_plane="cp",
        mark="move n",
        node="n",
        drain_seconds=9,
        services_residue="services",
    )
    node_move.node_move(needs, "old")


def test_to_cilium_the_node_is_empty_before_it_changes_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    move(world, "cilium", monkeypatch)
    assert world.done == [
        "cordon",
        "list Pods",
        "drain",
        "introduce",
        "hold leave",
        "label {'cni_owner': 'none'}",
        "k8s-app=cilium gone",
        "app=flannel gone",
        "hold on",
        "evict the rest",
        "clean old",
        "label {'cni_owner': 'cilium'}",
        "k8s-app=cilium ready",
        "label {'cni_services': 'cilium'}",
        "k8s-app=kube-proxy gone",
        "clean services",
        "hold off",
        "renew",
        "Pods ready",
        "uncordon",
    ], "Pods would lose their network, or Services their server, on the way"


def test_to_flannel_kube_proxy_serves_before_cilium_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("cilium")
    move(world, "flannel", monkeypatch)
    assert world.done == [
        "label {'cni_services': 'kube-proxy'}",
        "cordon",
        "list Pods",
        "drain",
        "k8s-app=kube-proxy ready",
        "hold leave",
        "label {'cni_owner': 'none'}",
        "k8s-app=cilium gone",
        "app=flannel gone",
        "hold on",
        "evict the rest",
        "clean old",
        "label {'cni_owner': 'flannel'}",
        "app=flannel ready",
        "hold off",
        "renew",
        "Pods ready",
        "uncordon",
    ], "nobody would serve Services on the node, or Pods would lose their network on the way"
    assert "clean services" not in world.done, "kube-proxy's rules would be taken from under it"


def test_a_drain_that_fails_leaves_the_node_as_it_was_and_names_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.faults["drain"] = StepError("these Pods do not leave")
    with pytest.raises(StepError, match=r"cannot be drained within 9 s, so it stays with flannel.*a/budget"):
        move(world, "cilium", monkeypatch)
    assert world.done[-1] == "uncordon" and "label {'cni_owner': 'none'}" not in world.done


def test_a_list_of_pods_that_fails_is_no_empty_node(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.faults["list Pods"] = ToolError("the API does not answer")
    with pytest.raises(ToolError):
        move(world, "cilium", monkeypatch)
    assert "label {'cni_owner': 'none'}" not in world.done, "the node would move with all its Pods on it"


def test_a_user_s_own_cordon_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel", cordoned="by-user")
    move(world, "cilium", monkeypatch)
    assert "uncordon" not in world.done and "cordon" not in world.done, "the user had a reason"


def test_a_move_that_was_cut_off_behind_the_change_of_hands_only_finishes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("cilium", cordoned="by-move")
    move(world, "cilium", monkeypatch)
    assert "drain" not in world.done and world.done[0] == "k8s-app=cilium ready" and world.done[-1] == "uncordon"


def test_a_pod_that_nobody_makes_anew_keeps_its_node_from_moving(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.bare = [Pod(**POD, controller="")]
    with pytest.raises(StepError, match="Pods that no controller would make anew: a/web"):
        move(world, "cilium", monkeypatch)
    assert "drain" not in world.done and world.done[-1] == "uncordon", "the Pod would be lost for good"


@pytest.mark.parametrize("unschedulable", [True, False])
def test_a_takeover_clears_what_a_move_that_was_cut_off_has_noted(
    unschedulable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = node_from(
        {"metadata": {"name": "n", "annotations": {CORDONED: "true"}}, "spec": {"unschedulable": unschedulable}}
    )
    by_user = node_from({"metadata": {"name": "u"}, "spec": {"unschedulable": True}})
    lifted: list[str] = []

    @contextmanager
    def begin(_: object) -> Generator[Quiet]:
        yield Quiet()

    def nothing(*_: object, **__: object) -> None: ...

    monkeypatch.setattr(takeover, "begin", begin)
    for name in ("remove_cilium", "remove_flannel_by_name", "remove_kube_proxy", "forget_flannel", "untaint"):
        monkeypatch.setattr(takeover, name, nothing)
    monkeypatch.setattr(takeover, "nodes", lambda _: [noted, by_user])
    monkeypatch.setattr(takeover, "lift_cordon", lambda _, name: lifted.append(name))
    claim = {"cluster": "c", "stack": "s", "cni": "flannel", "epoch": "2", "control_plane": "cp", "mark": ""}
    takeover.takeover(takeover.Needs(**claim))
    assert lifted == ["n"], "a user's own cordon would be lifted: now, or the next one, which such a note would disown"


def test_another_project_s_kinds_in_cilium_s_group_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    present = ("ciliumnodes.cilium.io", "tracingpolicies.cilium.io", "gateways.gateway.networking.k8s.io")
    quiet = Quiet([{"metadata": {"name": name}} for name in present])
    monkeypatch.setattr(old_cni.helm, "releases", lambda *_: [])
    monkeypatch.setattr(old_cni.kept_objects, "keep", lambda _: None)
    monkeypatch.setattr(old_cni, "remove_namespace", lambda *_, wait: None)
    old_cni.remove_cilium(cast("Kubectl", quiet))
    kinds = [what[1:] for what in quiet.deleted if what[0] == "customresourcedefinitions"]
    assert kinds == [("ciliumnodes.cilium.io",)], "every TracingPolicy of Tetragon's would go with its kind"


def test_a_helm_that_does_not_answer_is_no_cluster_without_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    def releases(*_: object) -> list[str]:
        raise ToolError("helm does not answer")

    quiet = Quiet()
    monkeypatch.setattr(old_cni.helm, "releases", releases)
    monkeypatch.setattr(old_cni.kept_objects, "keep", lambda _: None)
    with pytest.raises(ToolError):
        old_cni.remove_cilium(cast("Kubectl", quiet))
    assert quiet.deleted == [], "the release's agents would run on with their CustomResourceDefinitions gone"
