"""How a node is emptied: every eviction asks the budgets, again and again, and nothing is deleted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from steps import evictions
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.running import StepError


def pod(name: str, uid: str, kind: str) -> dict[str, Any]:
    owners = [{"kind": kind, "uid": f"of-{name}", "controller": True}] if kind else []
    return {
        "metadata": {
            "namespace": "a",
            "name": name,
            "uid": uid,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": owners,
        },
        "spec": {"nodeName": "n"},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


@dataclass
class World:
    """An API with the Pods of one node; what is named in `refused` is refused, once for each time."""

    pods: list[dict[str, Any]] | None
    refused: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    reborn: bool = False
    answer: str = "Error from server (TooManyRequests): Cannot evict pod"

    def objects(self, kind: str, **_: str) -> list[dict[str, Any]]:
        assert kind == "pods", kind
        if self.pods is None:
            raise ToolError("the API does not answer")
        return list(self.pods)

    def run(self, *args: str, stdin: str = "") -> str:
        assert args[:2] == ("create", "--raw"), f"nothing but an eviction may be asked for: {args}"
        name = args[2].removesuffix("/eviction").rsplit("/", 1)[-1]
        self.asked.append(name)
        self.bodies.append(json.loads(stdin))
        if name in self.refused:
            self.refused.remove(name)
            raise ToolError("`kubectl create` failed", self.answer)
        assert self.pods is not None
        self.pods = [item for item in self.pods if item["metadata"]["name"] != name]
        if self.reborn:
            self.pods.append(pod(f"{name}-new", "u9", "DaemonSet"))
        return ""

    def evict(self, seconds: int, *but: str) -> None:
        evictions.evict_pods_of_node(cast("Kubectl", self), "n", seconds, but=but)


@pytest.fixture
def world() -> World:
    return World(pods=[pod("web", "u1", "ReplicaSet"), pod("db", "u2", "StatefulSet"), pod("agent", "u3", "DaemonSet")])


def test_pods_of_the_kind_that_stays_are_not_evicted(world: World) -> None:
    world.evict(5, "DaemonSet")
    assert sorted(world.asked) == ["db", "web"], "a DaemonSet would make its Pod anew on the same node, for ever"
    uids = {body["deleteOptions"]["preconditions"]["uid"] for body in world.bodies}
    assert "u1" in uids, "a new Pod of the same name would be evicted"


def test_a_budget_that_refuses_is_asked_again_until_it_permits(world: World) -> None:
    world.refused = ["db"]
    begun = time.monotonic()
    world.evict(10, "DaemonSet")
    assert world.asked.count("db") == 2 and world.asked.count("web") == 1
    assert time.monotonic() - begun < 4, "each refusal would make a node's move longer by five seconds"


def test_a_budget_that_never_permits_is_a_failure_that_names_the_pod_and_the_answer(world: World) -> None:
    world.refused = ["db"] * 20
    with pytest.raises(StepError) as failed:
        world.evict(1)  # a node would be taken from under a Pod that its budget protects
    assert "a/db" in str(failed.value) and "TooManyRequests" in str(failed.value), failed.value
    assert "web" not in str(failed.value), "what has gone would be blamed"


def test_a_cluster_that_does_not_answer_is_no_empty_node(world: World) -> None:
    world.pods = None
    with pytest.raises(ToolError):
        world.evict(1)  # a node would move with all its Pods on it


def test_a_pod_that_comes_meanwhile_is_not_waited_for(world: World) -> None:
    world.reborn = True
    world.evict(5)  # the Pods of DaemonSets come back at once, and none of them ever ends


def test_a_pod_that_is_gone_or_another_by_now_needs_no_eviction(world: World) -> None:
    for answer in ('Error from server (NotFound): pods "db" not found', "Error from server (Conflict): uid"):
        world.refused, world.answer = ["db"], answer
        assert world.pods is not None
        found = evictions.on_pod_network(cast("Kubectl", world), node="n")
        db = [each for each in found if each.name == "db"]
        assert [evictions.evict(cast("Kubectl", world), each) for each in db] == [""], "the drain would wait for nobody"


def test_a_pending_pod_that_nobody_makes_anew_is_left_alone(world: World) -> None:
    world.pods = [pod("bare", "u7", "")]
    evictions.renew_pending_pods(cast("Kubectl", world), "n")
    assert world.asked == [], "a Pod would be lost for good on the way of a node's move"


def test_a_pending_pod_that_has_its_network_is_in_the_middle_of_its_start(world: World) -> None:
    initialising, refused = pod("initialising", "u8", "Job"), pod("refused", "u9", "Job")
    initialising["status"] = {"phase": "Pending", "podIP": "10.244.1.9"}
    refused["status"] = {"phase": "Pending"}
    world.pods = [initialising, refused]
    evictions.renew_pending_pods(cast("Kubectl", world), "n")
    assert world.asked == ["refused"], "an init container that runs would be killed behind its node's move"


def test_an_eviction_never_takes_what_nobody_makes_anew_or_what_does_not_leave(world: World) -> None:
    owned = pod("owned", "u5", "ConfigMap")
    owned["metadata"]["ownerReferences"][0]["controller"] = False
    static = pod("mirror", "u6", "Node")
    static["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    world.pods = [owned, pod("bare", "u7", ""), static]
    world.evict(1)  # a static Pod is not waited for either: it never leaves
    evictions.renew_pending_pods(cast("Kubectl", world), "n")
    assert world.asked == [], "a Pod would be lost for good, and nothing said"


def test_only_those_are_waited_for_that_were_ready_before(world: World) -> None:
    broken = pod("broken", "u8", "DaemonSet")
    broken["status"]["conditions"] = []
    world.pods = [broken, pod("agent", "u3", "DaemonSet")]
    evictions.await_pods_of_node(cast("Kubectl", world), "n", 0, {"of-agent"})
    with pytest.raises(StepError, match="not ready within 0 s: a/broken"):
        evictions.await_pods_of_node(cast("Kubectl", world), "n", 0, {"of-broken", "of-agent"})


def test_a_bare_pod_that_its_user_deletes_is_waited_for_and_not_evicted(world: World) -> None:
    going = pod("bare", "u7", "")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    world.pods = [going]
    with pytest.raises(StepError, match="do not leave n within 0 s: a/bare"):
        world.evict(0, "DaemonSet")  # it would lose its network while it still ends
    assert world.asked == []
