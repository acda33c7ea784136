"""A node's change under running Pods: what comes first, where a cut-off one goes on, when it has not moved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from steps import live_proof, live_to_cilium
from steps.findings.tenants import Sandbox, Tenant
from steps.live_pods import Place
from steps.nodes import Node
from steps.running import StepError

POD = Tenant(
    sandbox=Sandbox(id="abc", pid=7, namespace="default", name="bare", uid="u"), index=5, mac="aa", address="10.244.1.9"
)


def node(name: str, owner: str, cordoned: Any = "no") -> Node:
    return Node(
        name=name, pod_cidr="10.244.1.0/24", address="172.18.0.3", owner=owner, ready=True, cordoned=cordoned,
        taints=(), annotations={}, allocatable={},
    )  # fmt: skip


class Noting:
    """Writes down what is done, in order; `quiet` are Pods that do not answer the node of that name."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.quiet: dict[str, list[Tenant]] = {}
        self.late: list[str] = []

    def stand_ins(self, moved: Node, plain: str) -> dict[str, Callable[..., Any]]:
        """For what both ways call: each of `plain` writes its name, and the others their arguments."""
        return {
            **{name: self.noting(name) for name in plain.split()},
            "begin": self.noting("begin", nullcontext(self)),
            "node": self.noting("node", moved),
            "nodes": self.noting("nodes", [moved, node("x", "flannel")]),
            "tenants": self.noting("tenants", [POD]),
            "settled_tenants": self.noting("look", [POD]),
            "label": self.label,
            "on_node": self.noting("{1} {env[STEP]}"),
            "await_gone": self.gone,
            "await_pod": self.noting("{2} ready"),
            "clean": self.noting("clean {1}"),
            "of_node_s_pods": self.noting("new Pods", self.late),
            "note_quiet": self.noting("note who is quiet"),
            "routes_again": self.noting("routes again"),
        }

    def noting(self, form: str, answer: Any = None) -> Callable[..., Any]:
        def note(*args: object, **named: object) -> Any:
            self.done.append(form.format(*args, **named))
            return answer

        return note

    def gone(self, _: object, name: str, *labels: str) -> None:
        self.done.append(f"{' '.join(labels)} gone")

    def label(self, *_: object, **labels: str) -> None:
        self.done.append(" ".join(f"{key}={value}" for key, value in labels.items()))

    def silent(self, asker: str, pods: list[Tenant]) -> list[Tenant]:
        self.done.append(f"ask from {asker}")
        return [pod for pod in self.quiet.get(asker, []) if pod in pods]


class World(Noting):
    """On the way to Cilium; `policed` are Pods that a policy holds for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: str, cordoned: str = "no") -> None:
        super().__init__()
        self.refused: list[str] = []
        self.policed: list[Tenant] = []
        plain = "introduce_nodes cordon lift_cordon take_out reserve bridge_off forget_ended renew_pending_pods"
        stand_ins = self.stand_ins(node("w", owner, cordoned), plain)
        stand_ins |= {"adopt": self.noting("adopt", self.refused), "await_settled": self.noting("{1} has programs")}
        for name, stand_in in stand_ins.items():
            monkeypatch.setattr(live_to_cilium, name, stand_in)
        monkeypatch.setattr(live_proof, "tenants", self.noting("tenants", [POD]))
        monkeypatch.setattr(live_proof, "unready", self.noting("unready", []))
        monkeypatch.setattr(live_proof, "unreaching", self.noting("reach", []))
        monkeypatch.setattr(live_proof, "on_node", self.noting("{1} {env[STEP]}", ""))
        monkeypatch.setattr(live_proof, "unpoliced", self.unpoliced)
        monkeypatch.setattr(live_proof, "silent", self.silent)

    def unpoliced(self, _: Place, pods: list[Tenant]) -> list[Tenant]:
        return [pod for pod in pods if pod not in self.policed]

    def patch(self, kind: str, *_: object, **__: object) -> None:
        self.done.append(f"patch {kind}")

    def move(self) -> None:
        told = {
            **dict.fromkeys(("cluster", "stack", "epoch", "control_plane", "mark", "pod_subnet"), "7"),
            "plugin_residue": "plugin",
        }
        live_to_cilium.live_to_cilium(live_to_cilium.Needs(cni="cilium", node="w", **told), "residue")


def test_a_pod_is_out_of_the_bridge_before_cilium_comes_and_cilium_s_before_the_bridge_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, "flannel")
    world.move()
    order = ["introduce_nodes", "cordon", "cni_owner=none", "k8s-app=cilium app=flannel gone", "hold on"]
    order += [
        "clean plugin",
        "unmasq on",
        "routes again",
        "look",
        "take_out",
        "patch ciliumnode",
        "cni_owner=cilium",
        "adopt",
    ]
    order += ["k8s-app=cilium ready", "w has programs", "cni_services=cilium", "k8s-app=kube-proxy gone", "bridge_off"]
    order += ["clean residue", "forget_ended", "hold off", "renew_pending_pods", "lift_cordon"]
    asked = [world.done.index(f"ask from {asker}") for asker in "wx"]
    assert world.done.index("hold off") < min(asked), "a Pod that is made anew during the proof would be refused"
    assert max(asked) < world.done.index("renew_pending_pods"), "Pods would come to a node that fails its old ones"
    assert [each for each in world.done if each in order] == order, "a Pod would lose its network on the way"
    assert world.done.index("reserve") < world.done.index("adopt"), "the agent could give its address away"


@pytest.mark.parametrize("owner", ["none", "cilium"])
def test_a_move_that_was_cut_off_goes_on_from_where_it_is(monkeypatch: pytest.MonkeyPatch, owner: str) -> None:
    world = World(monkeypatch, owner, "by-move")
    world.move()
    taken_out = "take_out" in world.done
    assert world.done.index("reserve") < world.done.index("adopt"), "the agent could give its address away"
    assert taken_out == (owner == "none"), "a Pod of Cilium's would be taken for one of the bridge, or one left behind"
    assert "adopt" in world.done, "a Pod that was out of the bridge already would belong to nobody"
    assert "cordon" not in world.done, "its own cordon would be noted once more, over the user's"
    assert world.done[-1] == "lift_cordon", "the node would take no Pods for ever"


def test_where_no_address_is_reserved_no_pod_is_adopted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StepError("no answer")

    world = World(monkeypatch, "flannel")
    monkeypatch.setattr(live_to_cilium, "reserve", refuse)
    with pytest.raises(StepError, match="no answer"):
        world.move()
    assert "adopt" not in world.done, "the agent could give the address of a Pod that runs to another"


def test_a_user_s_cordon_stays_when_the_node_goes_to_cilium(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, "flannel", "by-user")
    world.move()
    assert "cordon" not in world.done, "the user's cordon would be taken for the move's own by the next run"
    assert "lift_cordon" not in world.done, "Pods would come to a node that its user has closed"


def test_a_node_with_a_pod_that_is_refused_or_does_not_answer_has_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, "flannel")
    for asker in ("w", "x"):
        world.quiet = {asker: [POD]}
        with pytest.raises(StepError, match=f"from {asker}: default/bare"):
            world.move()
        assert "lift_cordon" not in world.done, "new Pods would come to a node that serves its old ones badly"
    world.quiet = {}
    world.refused.append("default/bare (10.244.1.9): 400 no")
    world.done.clear()
    with pytest.raises(StepError, match="which run on as they are"):
        world.move()
    after = world.done[world.done.index("adopt") :]
    assert "clean residue" not in after, "the routes of a Pod that runs would be taken away"
    assert "cni_services=cilium" not in after, "a Pod that Cilium does not serve would reach no Service"


def test_a_policy_that_lets_no_other_node_in_stops_no_move(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, "flannel")
    world.quiet, world.policed = {"x": [POD]}, [POD]
    world.move()
    assert world.done[-1] == "lift_cordon", "the node would stay cordoned for a wall that its user has put up"
