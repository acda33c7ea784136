"""What was ready before a move is known after it, in whichever `up` that is."""

from __future__ import annotations

from typing import Any, cast

import pytest

from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.nodes import node
from steps.remembered import forget_ready, ready_before, remember_ready
from steps.running import StepError


class World:
    """One node and its Pods."""

    def __init__(self, *pods: Object) -> None:
        self.annotations: dict[str, str] = {}
        self.pods: list[Object] | None = list(pods)

    def object(self, kind: str, name: str) -> Object:
        return {"metadata": {"name": name, "annotations": dict(self.annotations)}}

    def objects(self, kind: str, **_: str) -> list[Object]:
        if self.pods is None:
            raise ToolError("the API does not answer")
        return self.pods

    def patch(self, kind: str, name: str, patch: Any) -> None:
        for key, value in patch["metadata"]["annotations"].items():
            self.annotations.pop(key, None)
            if value is not None:
                self.annotations[key] = value

    def remember(self) -> None:
        remember_ready(cast("Kubectl", self), node(cast("Kubectl", self), "n"))

    def ready(self) -> frozenset[str]:
        return ready_before(cast("Kubectl", self), "n")


def pod(name: str, ready: bool, *, owner: str = "", static: bool = False) -> Object:
    owners = [{"kind": "DaemonSet", "uid": owner, "controller": True}] if owner else []
    mirror = {"kubernetes.io/config.mirror": "x"} if static else {}
    return {
        "metadata": {
            "namespace": "a",
            "name": name,
            "uid": name,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": owners,
            "annotations": mirror,
        },
        "spec": {"nodeName": "n"},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def test_what_was_ready_is_known_by_its_controller_and_a_static_pod_by_its_name() -> None:
    world = World(pod("x1", True, owner="u1"), pod("y1", False, owner="u2"), pod("s", True, owner="n1", static=True))
    world.remember()
    assert world.ready() == {"u1", "a/s"}, "one that never was ready would be waited for, or one that was would not"
    forget_ready(cast("Kubectl", world), "n")
    assert world.ready() == frozenset() and world.annotations == {}


def test_a_move_that_goes_on_keeps_what_was_ready_before_it_began() -> None:
    world = World(pod("x1", True, owner="u1"))
    world.remember()
    world.pods = [pod("x1", False, owner="u1")]
    world.remember()
    assert world.ready() == {"u1"}, "what the move itself has broken would not be waited for"


def test_a_list_that_fails_remembers_nothing() -> None:
    world = World()
    world.pods = None
    with pytest.raises(ToolError):
        world.remember()
    assert world.annotations == {}


@pytest.mark.parametrize("text", ["no JSON", "{}"])
def test_a_note_that_cannot_be_read_is_no_empty_one(text: str) -> None:
    world = World()
    world.annotations["cni-migration/ready-before"] = text
    with pytest.raises(StepError, match="cannot be read"):
        world.ready()
