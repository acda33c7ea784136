"""Waits until Cilium's agents have loaded their programs for every endpoint; at once where none runs.

An agent is Ready before. One that starts again leaves its Pods the old programs, and the old routing, until theirs are
compiled; one that has just come does not serve at the node's own device: a node port is refused there for seconds, or
for thirteen on a busy machine.
"""

from __future__ import annotations

import json
import time
from typing import Any, cast

from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.names import AGENTS, SYSTEM
from steps.running import StepError
from steps.side_by_side import each

PATIENCE = 180
# Seconds between two looks: each is two processes, which would take their time from the compiler that is waited for.
_BETWEEN = 2


def await_settled(kubectl: Kubectl, node: str = "", seconds: float = PATIENCE) -> None:
    """All agents side by side, or that of one node. Raises StepError naming those that have not loaded within
    `seconds`."""
    fields = f"spec.nodeName={node}" if node else ""
    items = kubectl.objects("pods", namespace=SYSTEM, selector=AGENTS["cilium"], fields=fields)
    agents = [item["metadata"]["name"] for item in items if not item["metadata"].get("deletionTimestamp")]
    deadline = time.monotonic() + seconds

    def task(agent: str) -> None:
        settled, found = _look(kubectl, agent)
        while not settled:
            if time.monotonic() >= deadline:
                raise StepError(f"pod/{agent} has not loaded its programs within {seconds:g} s: {found}")
            time.sleep(_BETWEEN)
            settled, found = _look(kubectl, agent)

    each({agent: (lambda agent=agent: task(agent)) for agent in agents}, "the wait for Cilium's programs")


def states_from(answer: str) -> list[str]:
    """The state of each endpoint in `cilium-dbg endpoint list --output json`."""
    try:
        endpoints = cast("list[dict[str, Any]]", json.loads(answer) or [])
        return [str(endpoint["status"]["state"]) for endpoint in endpoints]
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"Cilium's list of endpoints cannot be read: {answer[:200]!r}") from error


def _look(kubectl: Kubectl, agent: str) -> tuple[bool, str]:
    """Whether every endpoint is ready, and what was found. An agent that does not answer is asked again."""
    command = ["cilium-dbg", "endpoint", "list", "--output", "json"]
    try:
        states = states_from(kubectl.execute(SYSTEM, agent, command, container="cilium-agent"))
    except ToolError as error:
        return False, str(error)
    return bool(states) and set(states) == {"ready"}, " ".join(states) or "no endpoint"
