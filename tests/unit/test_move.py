"""The order of a node's move, in both directions, and what a fault on the way leaves."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from steps import node_move
from steps.doors.process import ToolError
from steps.nodes import Node
from steps.pods import Pod
from steps.residue import residue
from steps.running import StepError


class World:
    """The doors and helpers of a move, which only note that they were called."""

    def __init__(self, owner: str, cordoned: Any = "no") -> None:
        self.done: list[str] = []
        self.pods: list[Pod] = []
        self.ready: frozenset[str] = frozenset()
        self.waited: list[Any] = []
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

    def label(self, _: object, name: str, **labels: str) -> None:
        self.act(f"label {labels}")

    def on_node(self, name: str, script: str, env: dict[str, str]) -> None:
        self.act(f"{script} {env['STEP']}")

    def clean(self, name: str, table: str, peers: list[str]) -> None:
        self.act(f"clean {table}")

    def await_pod(self, _: object, name: str, agent: str) -> None:
        self.act(f"{agent} ready")

    def await_gone(self, _: object, name: str, *labels: str) -> None:
        self.act(f"{' '.join(labels)} gone")

    def remember_ready(self, _: object, found: Node) -> None:
        self.act("remember")

    def agent_since(self, _: object, name: str, agent: str) -> str:
        return "2026-01-02T00:00:00Z"

    def renew_static_pods(self, _: object, pods: list[Pod], before: str) -> None:
        self.act(f"sandboxes before {before}")


def move(world: World, cni: str, monkeypatch: pytest.MonkeyPatch, **instead: Any) -> None:
    @contextmanager
    def begin(_: object) -> Generator[World]:
        yield world

    def pods(_: object, **__: str) -> list[Any]:
        world.act("list Pods")
        return world.pods

    def await_pods(_: object, name: str, seconds: int, keepers: frozenset[str]) -> None:
        world.waited.append(keepers)
        world.act("Pods ready")

    def evict(_: object, name: str, seconds: int, but: tuple[str, ...] = ()) -> None:
        world.waited.append(seconds)
        world.act("drain" if but else "evict the rest")

    of_cluster: dict[str, Callable[[object], Any]] = {
        "nodes": lambda _: [world.node],
        "introduce_nodes": lambda _: world.act("introduce"),
        "blocking_budgets": lambda _: ["a/budget"],
    }
    of_node: dict[str, Callable[[object, str], Any]] = {
        "node": lambda _, name: world.node,
        "cordon": lambda _, name: world.act("cordon"),
        "lift_cordon": lambda _, name: world.act("uncordon"),
        "await_kube_proxy": lambda _, name: world.act("kube-proxy serves"),
        "await_settled": lambda _, name: world.act("programs loaded"),
        "renew_pending_pods": lambda _, name: world.act("renew"),
        "ready_before": lambda _, name: world.ready,
        "forget_ready": lambda _, name: world.act("forget"),
    }
    patches: dict[str, Any] = {
        **of_cluster,
        **of_node,
        "begin": begin,
        "on_pod_network": pods,
        "label": world.label,
        "on_node": world.on_node,
        "clean": world.clean,
        "await_pod": world.await_pod,
        "await_gone": world.await_gone,
        "evict_pods_of_node": evict,
        "await_pods_of_node": await_pods,
        "remember_ready": world.remember_ready,
        "agent_since": world.agent_since,
        "renew_static_pods": world.renew_static_pods,
    }
    for name, stand_in in {**patches, **instead}.items():
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
        "remember",
        "cordon",
        "list Pods",
        "drain",
        "introduce",
        "hold leave",
        "label {'cni_owner': 'none'}",
        "k8s-app=cilium app=flannel gone",
        "hold on",
        "list Pods",
        "evict the rest",
        "clean old",
        "label {'cni_owner': 'cilium'}",
        "k8s-app=cilium ready",
        "programs loaded",
        "label {'cni_services': 'cilium'}",
        "k8s-app=kube-proxy gone",
        "clean services",
        "hold off",
        "renew",
        "list Pods",
        "Pods ready",
        "uncordon",
        "forget",
    ], "Pods would lose their network, or Services their server, on the way"


def test_to_flannel_kube_proxy_serves_before_cilium_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("cilium")
    move(world, "flannel", monkeypatch)
    assert world.done[:6] == [
        "remember",
        "label {'cni_services': 'kube-proxy'}",
        "cordon",
        "list Pods",
        "drain",
        "kube-proxy serves",
    ], "nobody would serve Services on the node"
    assert "clean services" not in world.done, "kube-proxy's rules would be taken from under it"


def test_a_drain_that_fails_leaves_the_node_as_it_was_and_names_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.faults["drain"] = StepError("these Pods do not leave")
    with pytest.raises(StepError, match=r"cannot be drained within 9 s, so it stays with flannel.*a/budget"):
        move(world, "cilium", monkeypatch)
    assert world.done[-2:] == ["uncordon", "forget"] and "label {'cni_owner': 'none'}" not in world.done


@pytest.mark.parametrize(
    ("owner", "cni", "fault"), [("flannel", "cilium", "introduce"), ("cilium", "flannel", "ready")]
)
def test_a_node_that_cannot_change_hands_yet_takes_pods_as_before(
    monkeypatch: pytest.MonkeyPatch, owner: str, cni: str, fault: str
) -> None:
    world = World(owner)
    world.faults[fault if fault == "introduce" else "kube-proxy serves"] = StepError("it does not come up")
    with pytest.raises(StepError, match="it does not come up"):
        move(world, cni, monkeypatch)
    assert world.done[-2:] == ["uncordon", "forget"], "a node with a CNI that works would take no Pods for ever"


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
    assert "drain" not in world.done and world.done[0] == "k8s-app=cilium ready"
    assert world.done[-2:] == ["uncordon", "forget"]
    assert "remember" not in world.done, "the Pods that the move itself has broken would not be waited for"


def test_a_pod_that_does_not_come_back_leaves_no_node_cordoned(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.faults["Pods ready"] = StepError("these Pods are not ready within 120 s")
    with pytest.raises(StepError, match="not ready"):
        move(world, "cilium", monkeypatch)
    assert world.done[-1] == "uncordon", (
        "a node with a running CNI would take no Pods, and every `up` fail the same way"
    )
    assert "forget" not in world.done, "the next `up` would not know whom to wait for"


def test_an_agent_that_does_not_answer_leaves_the_node_cordoned(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.faults["k8s-app=cilium ready"] = StepError("no Pod that is ready")
    with pytest.raises(StepError, match="no Pod that is ready"):
        move(world, "cilium", monkeypatch)
    assert "uncordon" not in world.done, "Pods would be sent to a node without a CNI"


def test_only_what_was_ready_before_the_move_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.ready = frozenset({"uid-of-a-daemonset"})
    move(world, "cilium", monkeypatch)
    assert world.waited[-1] == world.ready, "a DaemonSet that never was ready would fail every move"


def pod(name: str, controller: str = "", *, address: str = "10.244.1.2", grace: int = 30, static: bool = False) -> Pod:
    return Pod(
        namespace="a",
        name=name,
        uid=name,
        node="n",
        created="2026-01-01T00:00:00Z",
        controller=controller,
        owner=controller and f"uid of {controller}",
        static=static,
        address=address,
        grace=grace,
        phase="Running",
        state="ready",
    )


def test_a_daemonset_with_a_long_grace_period_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.pods = [pod("slow", "DaemonSet", grace=100)]
    move(world, "cilium", monkeypatch)
    # What the drain may take is 9 s here.
    assert world.waited[1] == 109, "the move would end after 60 s, with a node that has no agent"
    world.pods = [pod("quick", "DaemonSet", grace=1)]
    move(world, "cilium", monkeypatch)
    assert world.waited[-2] == 60


def test_a_bare_pod_stops_the_drain_but_not_one_that_has_no_network_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.pods = [pod("bare"), pod("pending", address=""), pod("mirror", "Node", static=True)]
    with pytest.raises(StepError, match=r"would make anew: a/bare$"):
        move(world, "cilium", monkeypatch)
    assert "drain" not in world.done
    held = World("none", cordoned="by-move")
    held.pods = [pod("pending", address="")]
    move(held, "cilium", monkeypatch)  # a Pod that the holding plugin refuses would stop every `up`


def test_a_bare_pod_that_came_during_the_move_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")

    def evict(_: object, name: str, seconds: int, but: tuple[str, ...] = ()) -> None:
        world.act("drain")
        world.pods = [pod("late")]

    with pytest.raises(StepError, match="without a controller came during the move; delete them: a/late"):
        move(world, "cilium", monkeypatch, evict_pods_of_node=evict)
    assert "clean old" not in world.done, "it would be left with a network that is gone"


def test_a_static_pod_gets_a_new_sandbox_when_the_new_agent_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("flannel")
    world.pods = [pod("mirror", "Node", static=True)]
    move(world, "cilium", monkeypatch)
    at = world.done.index("sandboxes before 2026-01-02T00:00:00Z")
    assert world.done.index("hold off") < at < world.done.index("Pods ready"), (
        "it would be Running, Ready, and dead, or its new sandbox be refused by the holding plugin"
    )


def test_a_move_that_was_killed_between_the_holding_plugin_and_the_label_is_finished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World("none", cordoned="by-move")
    move(world, "cilium", monkeypatch)
    for part in ("hold leave", "hold on", "clean old", "label {'cni_owner': 'cilium'}", "hold off", "uncordon"):
        assert part in world.done, f"without {part!r} the node refuses every new Pod"
    assert "cordon" not in world.done


def test_a_takeover_s_clean_up_takes_the_holding_plugin_off_every_node() -> None:
    paths = {row.what for row in residue("10.244.0.0/16") if row.kind == "path"}
    hold = (Path(node_move.__file__).parent / "on_node" / "hold.sh").read_text()
    for path in (
        "/etc/cni/net.d/99-cni-migration.conflist",
        "/opt/cni/bin/cni-migration-hold",
        "/opt/cni/bin/cilium-cni",
    ):
        assert path in hold and paths & {path, f"{path}*"}, f"{path} of a move that was killed refuses every new Pod"
