"""The order of a node's move, in both directions, and what a fault on the way leaves."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from steps import node_move
from steps.doors.process import ToolError
from steps.nodes import Node
from steps.running import StepError


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
        pod_subnet="10.244.0.0/16",
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
    assert world.done[:5] == [
        "label {'cni_services': 'kube-proxy'}",
        "cordon",
        "list Pods",
        "drain",
        "k8s-app=kube-proxy ready",
    ], "nobody would serve Services on the node"
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
