"""Which Pods were ready on a node before it was moved, remembered on the node itself: only these are waited for after
it, also by the `up` that goes on after a move was cut off."""

from __future__ import annotations

import json

from steps.doors.kubectl import Kubectl
from steps.names import READY_BEFORE
from steps.nodes import Node, node
from steps.pods import on_pod_network
from steps.running import StepError


def remember_ready(kubectl: Kubectl, found: Node) -> None:
    """Notes them, unless a move that was cut off has done so: by now its Pods are not ready for want of a network."""
    if READY_BEFORE in found.annotations:
        return
    ready = sorted({pod.keeper for pod in on_pod_network(kubectl, node=found.name) if pod.state == "ready"})
    kubectl.patch("node", found.name, {"metadata": {"annotations": {READY_BEFORE: json.dumps(ready)}}})


def ready_before(kubectl: Kubectl, name: str) -> frozenset[str]:
    """Their keepers (`Pod.keeper`); none where the node has not changed hands since it was done."""
    text = node(kubectl, name).annotations.get(READY_BEFORE, "[]")
    try:
        answer = json.loads(text)
        if not isinstance(answer, list):
            raise ValueError("no list")
    except ValueError as error:
        raise StepError(f"the annotation {READY_BEFORE} of node {name} cannot be read: {text[:200]!r}") from error
    return frozenset(str(each) for each in answer)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def forget_ready(kubectl: Kubectl, name: str) -> None:
    """The move is over, one way or the other."""
    kubectl.patch("node", name, {"metadata": {"annotations": {READY_BEFORE: None}}})
