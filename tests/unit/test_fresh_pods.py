"""A verification starts a Pod on each node: one that refuses every new Pod looks well otherwise."""

from __future__ import annotations

from typing import Any, cast

import pytest

from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.fresh_pods import await_fresh_pods
from steps.running import StepError


class World:
    """An API on which the new Pods of `up` come up, and those of other nodes do not."""

    def __init__(self, *up: str) -> None:
        self.up = up
        self.made: list[dict[str, Any]] = []
        self.removed = 0
        self.slow = False
        self.probe: dict[str, Any] | None = {"spec": {"template": {"spec": {"containers": [{"image": "probe:1"}]}}}}

    def object(self, kind: str, name: str, *, namespace: str) -> dict[str, Any] | None:
        return self.probe

    def create(self, manifest: dict[str, Any]) -> None:
        self.made.append(manifest)

    def delete(self, *what: str) -> None:
        self.removed += 1

    def wait(self, *what: str, until: str, seconds: int) -> None: ...

    def run(self, *args: str, timeout: float) -> str:
        if self.slow:
            raise ToolError("timed out waiting")
        return ""

    def objects(self, kind: str, *, namespace: str, selector: str) -> list[dict[str, Any]]:
        return [{"spec": {"nodeName": node}, "status": {"podIP": "10.1.1.1", "phase": "Running"}} for node in self.up]


def test_a_node_on_which_no_new_pod_comes_up_is_named() -> None:
    world = World("a")
    world.slow = True
    said = await_fresh_pods(cast("Kubectl", world), ["a", "b"])
    assert said == ["b: no new Pod comes up there (timed out waiting)"], "a node that refuses every Pod would pass"
    assert world.removed == 2, "it would stay in the cluster, or be taken for the next one's"


def test_nodes_that_take_pods_are_not_spoken_of() -> None:
    world = World("a", "b")
    assert await_fresh_pods(cast("Kubectl", world), ["a", "b"]) == []
    assert world.made[0]["spec"]["template"]["spec"]["containers"][0]["image"] == "probe:1"


def test_probes_that_are_gone_are_a_failure_and_not_a_pass() -> None:
    world = World("a")
    world.probe = None
    with pytest.raises(StepError, match="no DaemonSet"):
        await_fresh_pods(cast("Kubectl", world), ["a"])
