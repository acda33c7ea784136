"""When a node counts as moved: what its Pods have to answer, and what they need not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from steps import live_proof
from steps.findings.agent_answers import Endpoint
from steps.findings.tenants import Tenant
from steps.live_pods import Place
from steps.running import StepError
from unit.test_live_to_cilium import POD

PLACE = Place(node="w", pod_cidr="10.244.1.0/24")
WALLED = replace(POD, sandbox=replace(POD.sandbox, id="def", name="walled"), address="10.244.1.8")


class Cluster:
    """Two Pods of a node: `answers` by the asking node, `reach` are the sandboxes that reach a Service."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.known = {pod.sandbox.id: Endpoint(state="ready", policed=False) for pod in (POD, WALLED)}
        self.answers = {node: [POD.address, WALLED.address] for node in "wx"}
        self.reach = ["abc", "def"]
        self.kept, self.proved, self.held = "", False, ""
        monkeypatch.setattr(live_proof, "_SETTLE", 0)
        monkeypatch.setattr(live_proof, "endpoints", self.endpoints)
        monkeypatch.setattr(live_proof, "tenants", self.tenants)
        monkeypatch.setattr(live_proof, "on_node", self.on_node)

    def endpoints(self, _: Place) -> dict[str, Endpoint]:
        return self.known

    def tenants(self, _: Place) -> list[Tenant]:
        return [POD, WALLED]

    def on_node(self, node: str, script: str, *, env: dict[str, str], stdin: str = "") -> str:
        match script, env.get("STEP"):
            case "answers", _:
                return "\n".join(address for address in self.answers[node] if address in stdin.split())
            case "reaches", _:
                return "\n".join(sandbox for sandbox in self.reach if sandbox in stdin)
            case "quiet", "note":
                self.kept, self.proved = stdin, False
            case "quiet", "proved":
                self.proved = True
            case "hold", "said":
                return self.held
            case "quiet", "unproved":
                return "" if self.proved else self.kept
            case _:
                return self.kept
        return ""


def test_a_node_is_at_rest_where_nothing_is_held_back_and_no_proof_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    assert live_proof.at_rest(PLACE), "a node that never moved would be moved once more"
    cluster.held = "on\n"
    assert not live_proof.at_rest(PLACE), "a node whose move was cut off would admit no Pod for ever"
    cluster.held = ""
    live_proof.note_quiet(PLACE, "x", [POD])
    assert not live_proof.at_rest(PLACE), "a node whose proof has failed would count as moved"
    live_proof.prove_cilium(PLACE, "x")
    assert live_proof.at_rest(PLACE), "each later migration would prove it again"


def test_pods_that_answer_and_reach_a_service_have_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    Cluster(monkeypatch)
    live_proof.prove_cilium(PLACE, "x")
    live_proof.prove_flannel(PLACE, "x")


@pytest.mark.parametrize("where", ["w", "x", "a Service", "the agent"])
def test_a_pod_that_lost_anything_of_it_is_named(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    cluster = Cluster(monkeypatch)
    if where == "a Service":
        cluster.reach = ["def"]
    elif where == "the agent":
        cluster.known["abc"] = Endpoint(state="regenerating", policed=False)
    else:
        cluster.answers[where] = [WALLED.address]
    with pytest.raises(StepError, match=r"default/bare\. The node stays cordoned"):
        live_proof.prove_cilium(PLACE, "x")
    if where == "the agent":
        return
    with pytest.raises(StepError, match=r"default/bare\. The node stays cordoned"):
        live_proof.prove_flannel(PLACE, "x")


def test_a_policy_lets_the_node_in_and_need_not_let_another(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    cluster.known["abc"] = Endpoint(state="ready", policed=True)
    cluster.reach, cluster.answers["x"] = ["def"], [WALLED.address]
    live_proof.prove_cilium(PLACE, "x")  # a wall that its user has put up would keep the node cordoned
    cluster.answers["w"] = [WALLED.address]
    with pytest.raises(StepError, match="default/bare"):
        live_proof.prove_cilium(PLACE, "x")


@pytest.mark.parametrize("where", ["w", "x", "a Service"])
def test_a_pod_that_did_not_answer_before_need_not_behind_the_move(
    monkeypatch: pytest.MonkeyPatch, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster(monkeypatch)
    if where == "a Service":
        cluster.reach = ["abc"]
    else:
        cluster.answers[where] = [POD.address]
    live_proof.note_quiet(PLACE, "x", [POD, WALLED])
    assert "default/walled" in capsys.readouterr().err, "its user would not know that nobody looks at it"
    cluster.answers, cluster.reach = {node: [POD.address] for node in "wx"}, ["abc"]
    if where != "a Service":
        cluster.reach.append("def")
    cluster.answers = {node: [POD.address, *([WALLED.address] if where != node else [])] for node in "wx"}
    for _ in range(
        2
    ):  # a firewall of its own would stop the node for ever; or where the first run is cut off behind it
        live_proof.prove_flannel(PLACE, "x")
    cluster.answers["w" if where != "w" else "x"] = [POD.address]
    with pytest.raises(StepError, match="default/walled"):
        live_proof.prove_flannel(PLACE, "x")  # one question that it did not answer would excuse it from all


def test_what_a_move_has_broken_is_not_taken_for_what_was_quiet_before(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    live_proof.note_quiet(PLACE, "x", [POD, WALLED])
    cluster.answers["x"] = []
    with pytest.raises(StepError, match="default/bare"):
        live_proof.prove_cilium(PLACE, "x")
    live_proof.note_quiet(PLACE, "x", [POD, WALLED])  # by the other stack, which takes it back
    with pytest.raises(StepError, match="default/bare"):
        live_proof.prove_flannel(PLACE, "x")  # the way back would end well with Pods that nobody reaches


def test_what_was_quiet_in_a_move_that_was_proved_does_not_excuse_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    cluster.answers["x"] = [POD.address]
    live_proof.note_quiet(PLACE, "x", [POD, WALLED])
    live_proof.prove_cilium(PLACE, "x")
    cluster.answers["x"] = [POD.address, WALLED.address]
    live_proof.note_quiet(PLACE, "x", [POD, WALLED])
    cluster.answers["x"] = [POD.address]
    with pytest.raises(StepError, match="default/walled"):
        live_proof.prove_flannel(PLACE, "x")
