"""What stands in the way of a strategy that drains: a node that is not Ready or nobody's, no room for one node less, a
budget, a Pod that a drain would lose, a Cilium that would not let go."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from steps.doors.kubectl import Kubectl, Object
from steps.findings.capacity import NodeRoom, PodDemand, quantity, shortages
from steps.findings.live_values import meddling_values
from steps.names import SYSTEM
from steps.nodes import Node, node_from
from steps.pods import pod_from
from steps.preflight_budgets import stopping_budgets
from steps.running import StepError

# Comes and goes with the cordon itself.
_CORDON = "node.kubernetes.io/unschedulable"
_NOT_ENDED = "status.phase!=Succeeded,status.phase!=Failed"


def obstacles(kubectl: Kubectl, cni: str, values: str) -> list[str]:
    """A line for each, on the way to `cni`. `values` are those of Cilium's chart as JSON, empty without one. Raises
    StepError where one of the questions has no answer."""
    node_items = sorted(kubectl.objects("nodes"), key=lambda item: item["metadata"]["name"])
    pod_items = kubectl.objects("pods", fields=_NOT_ENDED)
    nodes = [node_from(item) for item in node_items]
    # A node that an unfinished migration has moved is not drained.
    moved = {node.name for node in nodes if node.owner == cni}
    drained = [item for item in pod_items if item["spec"].get("nodeName") not in moved]
    return [
        *unfit_nodes(nodes),
        *meddling_values(values_from(values)),
        *lost_pods(drained),
        *_shortages(node_items, pod_items, moved),
        *stopping_budgets(kubectl, drained),
        *(clinging_cilium(kubectl) if any(node.owner == "cilium" for node in nodes) else []),
    ]


def values_from(text: str) -> dict[str, Any]:
    """Those of Cilium's chart. Raises StepError where they are no JSON."""
    try:
        return json.loads(text or "{}")
    except ValueError as error:
        raise StepError("the values of Cilium's chart cannot be read as JSON") from error


def unfit_nodes(nodes: Sequence[Node]) -> list[str]:
    """Those that are nobody's, and those that are not Ready."""
    found: list[str] = []
    for node in nodes:
        if not node.owner:
            found.append(
                f"node {node.name} has no label cni-owner: no migration of this project ended there; use recreate"
            )
        if not node.ready:
            found.append(
                f"node {node.name} is not Ready, and a node moves only while all of them are; make it so first"
            )
    return found


def lost_pods(items: Sequence[Object]) -> list[str]:
    """Pods that nobody makes anew. Those on the host's network stay where they are, so no drain loses them."""
    return [
        f"Pod {pod.full_name} has no controller, a drain would lose it: delete it, or use recreate"
        for item in items
        for pod in [pod_from(item)]
        if not pod.controller and not item["spec"].get("hostNetwork")
    ]


def _shortages(node_items: Sequence[Object], pod_items: Sequence[Object], moved: Collection[str]) -> list[str]:
    try:
        rooms, demands = [room(item) for item in node_items], [demand(item) for item in pod_items]
    except (KeyError, ValueError) as error:
        raise StepError(f"what nodes offer and Pods ask for cannot be read: {error!r}") from error
    return shortages(rooms, demands, moved)


def room(item: Object) -> NodeRoom:
    """What a node in the API's JSON offers. Drained Pods may go there unless a user has cordoned it or a taint keeps
    them away; PreferNoSchedule keeps nobody away. A cordon of a move that was cut off goes with its node's move."""
    spec, allocatable = item.get("spec", {}), item["status"]["allocatable"]
    taints: list[Object] = spec.get("taints") or []
    tainted = any(taint["effect"] != "PreferNoSchedule" and taint["key"] != _CORDON for taint in taints)
    return NodeRoom(
        name=item["metadata"]["name"],
        usable=node_from(item).cordoned != "by-user" and not tainted,
        cpu_millis=quantity(allocatable["cpu"]) * 1000,
        memory_bytes=quantity(allocatable["memory"]),
        pods=quantity(allocatable["pods"]),
    )


def demand(item: Object) -> PodDemand:
    """What a Pod in the API's JSON asks for, and who makes it anew."""
    pod = pod_from(item)
    asked: list[Object] = [
        container.get("resources", {}).get("requests", {}) for container in item["spec"]["containers"]
    ]
    return PodDemand(
        node=pod.node or None,
        # What is on the host's network stays where it is, as a static Pod does.
        kind="Node" if item["spec"].get("hostNetwork") else pod.controller,
        cpu_millis=sum(quantity(requests.get("cpu", "0")) for requests in asked) * 1000,
        memory_bytes=sum(quantity(requests.get("memory", "0")) for requests in asked),
    )


def clinging_cilium(kubectl: Kubectl) -> list[str]:
    """A line where the Cilium that runs would work against nodes that it has no agent on."""
    # The operator of a release with other values taints nodes without an agent, and restarts the Pods there.
    config = kubectl.object("configmap", "cilium-config", namespace=SYSTEM)
    data: Object = config.get("data", {}) if config else {}
    found = f"{data.get('set-cilium-node-taints', '')}/{data.get('unmanaged-pod-watcher-interval', '')}"
    if found in ("/0", "false/0"):
        return []
    return [
        f"the Cilium that runs does not leave nodes alone that it has no agent on (taints/restarts: {found}): set "
        f"operator.setNodeTaints and operator.unmanagedPodWatcher.restart to false in its values, and bring its stack "
        f"up first"
    ]
