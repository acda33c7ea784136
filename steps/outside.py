"""The prober outside of the cluster: when it asks whom, and what it saw."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from typing import Any

from steps.doors import docker, outside
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.findings.outside import outside_of
from steps.names import TRAFFIC_NODE_PORT, TRAFFIC_OUTSIDE
from steps.nodes import Node, nodes
from steps.recordings import UnmeasuredError
from steps.running import StepError, say

_REMEDY = "mend that, or set traffic.outside to false"


def begin(
    kubectl: Kubectl, cluster: str, recording: str, *, image: str, hertz: str, beside: str, seconds: float
) -> None:
    """Starts it on the network of the node `beside`, in the place of an earlier one, and waits until each node has
    answered it. Raises UnmeasuredError where it does not come to that within `seconds`."""
    outside.remove(cluster)
    found = nodes(kubectl)
    network = _network(next(node for node in found if node.name == beside))
    targets = " ".join(f"{node.name}={node.address}:{TRAFFIC_NODE_PORT}" for node in found)
    asking = {"TARGETS": targets, "HERTZ": hertz}
    try:
        outside.start(cluster, recording, prober=TRAFFIC_OUTSIDE, image=image, network=network, environment=asking)
    except ToolError as error:
        # docker's reason comes last, behind what it has pulled.
        last = (error.said.strip() or str(error)).splitlines()[-1]
        raise UnmeasuredError(f"who asks from outside of the cluster does not start ({last}): {_REMEDY}") from error
    deadline = time.monotonic() + seconds
    while silent := sorted({node.name for node in found} - _answered(cluster, recording)):
        if time.monotonic() >= deadline:
            why = "" if outside.runs(cluster, recording) else f" since its container, of {image}, has ended"
            raise UnmeasuredError(
                f"from outside of the cluster node port {TRAFFIC_NODE_PORT} has no answer within {seconds:g} s by "
                f"{' '.join(silent)}{why}: {_REMEDY}"
            )
        time.sleep(0.3)  # between two looks, not in place of a condition


def _network(node: Node) -> str:
    """The engine's network on which the node has the address by which the cluster knows it."""
    for attached in docker.attachments([node.name]):
        if node.address and IPv4Address(node.address) in attached.subnet:
            return attached.network
    raise StepError(f"{node.name} has its address {node.address!r} on none of its container's networks")


def _answered(cluster: str, recording: str) -> set[str]:
    heard = [line.split() for line in outside.lines(cluster, recording, TRAFFIC_OUTSIDE) or []]
    return {words[3] for words in heard if words[2:3] == ["service"] and words[4:5] == ["ok"]}


def look_after(cluster: str, recording: str) -> None:
    """Says so where it does not run, though the recording goes on."""
    if not outside.runs(cluster, recording):
        say("nobody asks from outside of the cluster: who did has ended, or traffic.outside came after the beginning")


def away(cluster: str) -> None:
    """There is none any more, and nothing that it has recorded. Says so where that does not go: what it was for is
    done, and the next `up` and a `destroy` try it again."""
    try:
        outside.remove(cluster)
    except StepError as error:
        say(f"who asked from outside of the cluster is still there: {error}")


def seen(
    cluster: str, recording: str, *, steps: Sequence[str], inside: Iterable[str], wanted: bool, max_gap_ms: int
) -> dict[str, Any]:
    """What it saw, for the report: nothing where it was not `wanted` and there is none, `why` alone where it is not
    known. `steps` and `inside` are the lines of the recording in the cluster."""
    try:
        outside.end(cluster, recording)
        lines = outside.lines(cluster, recording, TRAFFIC_OUTSIDE)
    except StepError as error:
        return {"why": " ".join(str(error).split())}
    if lines is None:
        return {"why": "nobody asked from outside, or what was recorded there is gone"} if wanted else {}
    return outside_of(lines, steps=steps, inside=inside, max_gap_ms=max_gap_ms)
