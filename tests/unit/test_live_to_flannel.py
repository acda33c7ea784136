"""A node's way back under running Pods: what comes first, where a cut-off one goes on, when it has not moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from steps import live_back_pods, live_proof, live_to_flannel
from steps.findings.flows import Masquerading
from steps.findings.tenants import Tenant
from steps.live_pods import Place
from steps.running import StepError
from unit.test_live_to_cilium import POD, Noting, node

PLACE = Place(node="w", pod_cidr="10.244.1.0/24")
SUBNET = "10.244.0.0/16"
NOTHING: dict[str, str] = {}
LEFT, NONE, PROXY = "k8s-app=cilium app=flannel gone", "cni_owner=none cni_services=kube-proxy", "kube-proxy serves"
OFF = "take_programs by the map"
# What is done before what, and what a user loses where it is not.
ORDER = {
    ("cordon", "new Pods"): "one that came behind the look would be moved, and lose its host port",
    ("note who is quiet", "hold leave"): "a Pod that never answered would stop its node for ever",
    ("new Pods", "hold leave"): "a node that cannot move would refuse new Pods",
    ("masquerading", "hold leave"): "a node whose agent gives no answer would refuse new Pods",
    ("cordon", "hold leave"): "new Pods would be sent to a node that admits none",
    ("hold leave", "clean plugin"): "cilium-cni would be called again and wait for an agent that has gone",
    ("clean plugin", "look"): "a Pod whose network is just being made would be left behind",
    ("masquerading", NONE): "nobody could tell any more by which port the peers know the connections to outside",
    (NONE, LEFT): "the agent would be waited for that nobody has told to go",
    (LEFT, OFF): "the agent would put its programs back, or Flannel's, cut off before, its rules among them",
    (PROXY, OFF): "no Service would be served on the node",
    (LEFT, "hold on"): "the agent would write its conflist again, and Pods be made by its plugin",
    ("hold on", "look"): "a Pod that starts now would be left behind",
    ("unmasq alone", OFF): "what Pods send to outside would leave with their own addresses",
    (
        "routes again",
        "clean early",
    ): "a node that was started again would lose the way to its peers with Cilium's routes",
    ("look", "route_back"): "nobody would know which Pods there are",
    ("route_back", OFF): "nothing would lead to a Pod",
    (OFF, "clean early"): "the programs' pins would go before the connections are put over",
    ("take_addresses", "cni_owner=flannel"): "Flannel would give the address of a Pod that runs to another",
    ("keep_router", "cni_owner=flannel"): "Flannel would give the address of open connections to a Pod",
    ("forget_left", "keep_router"): "the same, after a run that was cut off",
    ("clean early", "cni_owner=flannel"): "Flannel would start among Cilium's rules",
    ("forget_left", "cni_owner=flannel"): "the address of a Pod that Flannel is just making would be given to another",
    ("hold on", "forget_left"): "the same of one that Cilium is just making",
    (OFF, "into_bridge"): "Cilium's programs would drop what comes by the bridge",
    ("into_bridge", "app=flannel ready"): "Pods would be in nobody's care for as long as an agent takes to start",
}
# That holds also where a run goes on behind the label.
END = {
    ("app=flannel ready", "clean late"): "Cilium's devices would go before Flannel's tunnel is there",
    ("into_bridge", "clean late"): "Pods would lose their gateway, and their devices",
    ("clean late", "settle"): "the bridge's route would not be the only one, and packets go to cilium_host",
    ("settle", "forget_ended"): "an address would be given away while a route leads to it",
    ("forget_ended", "hold off"): "the next Pod would find addresses taken by Pods that have ended",
    ("hold off", "ask from w"): "a Pod that is made anew during the proof would be refused for its whole length",
    ("reach", "lift_cordon"): "Pods would come to a node from which no Service is reached",
    ("ask from w", "lift_cordon"): "Pods would come to a node that serves its old ones badly",
    ("ask from x", "lift_cordon"): "the same, of Pods that other nodes do not reach",
    ("renew_pending_pods", "lift_cordon"): "what the node has refused would wait for 15 s",
}


class World(Noting):
    """On the way back; `cut_off` are Pods that reach no Service, `left` those that run by the end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: str, cordoned: str = "no") -> None:
        super().__init__()
        self.cut_off: list[Tenant] = []
        self.mtus = [1450]
        self.left = [POD]
        self.rest = False
        plain = "cordon lift_cordon route_back take_addresses into_bridge settle renew_pending_pods"
        plain += " forget_ended forget_left keep_router"
        stand_ins = self.stand_ins(node("w", owner, cordoned), plain)
        stand_ins |= {
            "masquerading": self.noting("masquerading", "the map"),
            "pods_mtu": self.mtu,
            "at_rest": self.at_rest,
            "await_kube_proxy": self.noting("kube-proxy serves"),
            "take_programs": self.noting("take_programs by {2}"),
        }
        for name, stand_in in stand_ins.items():
            monkeypatch.setattr(live_to_flannel, name, stand_in)
        monkeypatch.setattr(live_proof, "tenants", self.tenants)
        monkeypatch.setattr(live_proof, "unreaching", self.noting("reach", self.cut_off))
        monkeypatch.setattr(live_proof, "silent", self.silent)
        monkeypatch.setattr(live_proof, "on_node", self.noting("{1} {env[STEP]}", ""))

    def mtu(self, _: Place) -> int:
        return self.mtus.pop() if len(self.mtus) > 1 else self.mtus[0]

    def at_rest(self, _: Place) -> bool:
        return self.rest

    def tenants(self, _: Place) -> list[Tenant]:
        return self.left if "reach" in self.done else [POD]

    def move(self) -> None:
        told = {"cluster": "c", "stack": "s", "epoch": "7", "control_plane": "w", "mark": "", "pod_subnet": SUBNET}
        tables = {"plugin_residue": "plugin", "early_residue": "early"}
        live_to_flannel.live_to_flannel(live_to_flannel.Needs(cni="flannel", node="w", **told, **tables), "late")

    def comes(self, first: str, then: str) -> bool:
        both = first in self.done and then in self.done
        return both and self.done.index(first) < self.done.index(then)


@pytest.mark.parametrize(("owner", "cordoned"), [("cilium", "no"), ("none", "by-move"), ("flannel", "by-move")])
def test_a_pod_has_a_way_and_its_address_at_every_moment_also_where_a_move_was_cut_off(
    monkeypatch: pytest.MonkeyPatch, owner: str, cordoned: str
) -> None:
    world = World(monkeypatch, owner, cordoned)
    world.move()
    for (first, then), lost in (END if owner == "flannel" else {**ORDER, **END}).items():
        # By the first run, while the node's old CNI was whole.
        again = first in ("cordon", "note who is quiet") and cordoned == "by-move"
        assert again or world.comes(first, then), f"{lost}: {first} is not before {then} in {world.done}"
    assert ("cordon" in world.done) == (cordoned == "no"), "its own cordon would be noted once more, or there were none"
    assert world.comes("take_addresses", "into_bridge"), "a Pod that was left out could lose its address to another"
    begun = {NONE, "hold leave", OFF, "route_back"} & {*world.done}
    assert not begun or owner != "flannel", "Flannel's agent would be sent away, and the move never end"
    assert world.done[-1] == "lift_cordon", "the node would take no Pods for ever, or before all is done"


def test_a_node_with_a_pod_that_does_not_answer_or_reaches_no_service_has_not_moved_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for asker in ("w", "x", "a Service"):
        world = World(monkeypatch, "cilium")
        world.quiet[asker] = [POD]
        world.cut_off += [POD] if asker == "a Service" else []
        with pytest.raises(StepError, match=r"default/bare\. The node stays cordoned"):
            world.move()
        assert "lift_cordon" not in world.done, "new Pods would come to a node that serves its old ones badly"
    world = World(monkeypatch, "cilium")
    world.quiet, world.left = {"w": [POD]}, []
    world.move()
    assert world.done[-1] == "lift_cordon", "a Pod that has ended meanwhile would stop the node"


def test_a_pod_that_came_since_preflight_and_would_not_survive_stops_its_node_before_anything_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, "cilium")
    world.late.append("w: default/web has the host port 80")
    with pytest.raises(StepError, match="default/web has the host port 80"):
        world.move()
    assert world.done[-1] == "new Pods" and NONE not in world.done, "its host port would be dead, or its agent gone"


@pytest.mark.parametrize(
    ("owner", "mtus", "times"), [("cilium", [1450], 1), ("cilium", [1400, 1450], 2), ("flannel", [1450], 1)]
)
def test_pods_are_dressed_once_more_where_flannel_s_word_is_another_or_the_move_was_cut_off(
    monkeypatch: pytest.MonkeyPatch, owner: str, mtus: list[int], times: int
) -> None:
    world = World(monkeypatch, owner, "by-move")
    world.mtus = mtus
    world.move()
    for step in ("take_addresses", "into_bridge"):
        assert world.done.count(step) == times, "Pods would have another MTU than Flannel's, or none its bridge"


def test_of_a_node_that_flannel_has_already_no_pod_is_touched_or_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, "flannel", "by-move")
    world.rest = True
    world.move()
    assert world.done == ["begin", "node", "app=flannel ready", "renew_pending_pods", "lift_cordon"], (
        "a Pod with a firewall of its own would keep a migration from being taken back, on a node that never moved"
    )


def test_a_user_s_cordon_stays_on_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, "cilium", "by-user")
    world.move()
    assert "cordon" not in world.done, "the user's cordon would be taken for the move's own by the next run"
    assert "lift_cordon" not in world.done, "Pods would come to a node that its user has closed"


class Doors:
    """What the node's scripts say and are given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said = {"cilium_masquerading": "bpf\n", "flannel_mtu": "1450\n"}
        self.given: list[tuple[str, str]] = []
        self.agents: list[dict[str, Any]] = []
        monkeypatch.setattr(live_back_pods, "on_node", self.on_node)

    def on_node(self, _: str, script: str, *, env: Mapping[str, str] = NOTHING, stdin: str = "") -> str:
        self.given.append((f"{script} {env.get('STEP', '')}".strip(), stdin))
        return self.said.get(script, "")

    def objects(self, _: str, **__: str) -> list[dict[str, Any]]:
        return self.agents

    def execute(self, _: str, pod: str, command: tuple[str, ...], *, container: str) -> str:
        return "[]" if (pod, command[:4]) == ("cilium-x", ("cilium-dbg", "bpf", "nat", "list")) else "no such Pod"


def agent(name: str, state: dict[str, Any]) -> dict[str, Any]:
    statuses = [{"name": "cilium-agent", "state": state}]
    return {"metadata": {"name": name}, "status": {"phase": "Running", "containerStatuses": statuses}}


def test_the_map_is_asked_of_the_agent_that_runs_and_is_empty_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    doors = Doors(monkeypatch)
    kubectl: Any = doors
    nothing = Masquerading(masked={}, seen=(), by_rules=False)
    assert live_back_pods.masquerading(kubectl, PLACE, [POD]) == nothing, "a move that was cut off could not go on"
    waiting, running = {"waiting": {"reason": "CrashLoopBackOff"}}, {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    kubectl.agents = [agent("cilium-old", waiting)]
    assert live_back_pods.masquerading(kubectl, PLACE, [POD]) == nothing, "an agent that crashes would bar the way back"
    kubectl.agents = [agent("cilium-old", waiting), agent("cilium-x", running)]
    doors.said["open_flows"] = "open 10.244.1.9:40344 1.1.1.1:443 client\n"
    found = live_back_pods.masquerading(kubectl, PLACE, [POD])
    assert found.masked == {} and len(found.seen) == 1, "what was open then would be taken for something newer"


@pytest.mark.parametrize(("way", "over"), [(False, "10.244.1.9 40344 1.1.1.1 443 172.18.0.3 40344 tcp\n"), (True, "")])
def test_the_programs_go_with_what_is_open_in_the_pods(monkeypatch: pytest.MonkeyPatch, way: bool, over: str) -> None:
    doors, ends = Doors(monkeypatch), ("10.244.1.9 1.1.1.1 40344 443", "1.1.1.1 10.244.1.9 443 40344")
    doors.said["open_flows"] = f"open 10.244.1.9:40344 1.1.1.1:443 client\ntracked tcp {' '.join(ends)}\n"
    before = Masquerading(masked={}, seen=(), by_rules=way)
    live_back_pods.take_programs(PLACE, [POD], before, ["172.18.0.3"], "172.18.0.3", SUBNET)
    assert doors.given[0] == ("open_flows", "abc 7\n"), "a Pod's connections would not be looked for"
    assert doors.given[-1] == ("programs_off", over), "what is open to outside would break"


def test_only_the_address_of_a_pod_that_has_ended_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    doors = Doors(monkeypatch)
    ended = replace(POD, sandbox=replace(POD.sandbox, id="def"), address="10.244.1.8")

    def tenants(_: Place) -> list[Tenant]:
        return [POD]

    monkeypatch.setattr(live_back_pods, "tenants", tenants)
    live_back_pods.forget_ended(PLACE, [POD, ended])
    assert doors.given == [("flannel_files forget", "def 10.244.1.8 -\n")], (
        "a running Pod's address would be given away"
    )
    # One that an earlier run has written, and this one never saw.
    doors.said["flannel_files"] = "abc 10.244.1.9\nghi 10.244.1.7\n"
    live_back_pods.forget_left(PLACE, [POD])
    assert doors.given[1:] == [("flannel_files list", ""), ("flannel_files forget", "ghi 10.244.1.7 -\n")], (
        "its address would be taken for ever, or a running Pod's given away"
    )
    live_back_pods.into_bridge(PLACE, [POD], SUBNET, 1450)
    steps = [(what, row) for what, row in doors.given if what.startswith("rebridge")]
    row = "7 10.244.1.9 5 aa vethabc\n"
    assert steps == [("rebridge bridge", row), ("rebridge dress", row)], (
        "a Pod would be dressed with no bridge to send by"
    )
