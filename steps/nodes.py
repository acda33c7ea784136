"""The nodes as the API has them, and what the steps do with one: its label, its cordon, its agent."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from steps.doors.kubectl import Kubectl, Object
from steps.doors.node import on_node
from steps.doors.process import ToolError
from steps.names import CORDONED, KUBE_PROXY, OWNER_LABEL
from steps.running import StepError
from steps.side_by_side import each

# Seconds for which a Pod may take to go.
_GONE = 60
# And for which a CNI's agent may take to come: at half speed a whole move by `live` took 94 s, and once 150.
_AGENT = 180


@dataclass(frozen=True, kw_only=True)
class Node:
    """`address` is the InternalIP. `owner` is the CNI by its label, empty without one. `cordoned` tells a move's cordon
    from a user's own. `takes_pods`: a drained Pod may go there. `taints` are their keys."""

    name: str
    pod_cidr: str
    address: str
    owner: str
    ready: bool
    cordoned: Literal["no", "by-move", "by-user"]
    taints: tuple[str, ...]
    annotations: Mapping[str, str]
    allocatable: Mapping[str, str]


def node_from(item: Object) -> Node:
    """A node in the API's JSON."""
    metadata, spec, status = item["metadata"], item.get("spec", {}), item.get("status", {})
    annotations: dict[str, str] = metadata.get("annotations") or {}
    labels: dict[str, str] = metadata.get("labels") or {}
    addresses = [entry["address"] for entry in status.get("addresses", []) if entry["type"] == "InternalIP"]
    cordoned = "no" if not spec.get("unschedulable") else "by-move" if CORDONED in annotations else "by-user"
    return Node(
        name=metadata["name"],
        pod_cidr=spec.get("podCIDR", ""),
        address=addresses[0] if addresses else "",
        owner=labels.get(OWNER_LABEL, ""),
        ready=any(entry["type"] == "Ready" and entry["status"] == "True" for entry in status.get("conditions", [])),
        cordoned=cordoned,
        taints=tuple(taint["key"] for taint in spec.get("taints", [])),
        annotations=annotations,
        allocatable=status.get("allocatable", {}),
    )


def nodes(kubectl: Kubectl) -> list[Node]:
    """Every node, by name."""
    return sorted((node_from(item) for item in kubectl.objects("nodes")), key=lambda node: node.name)


def node(kubectl: Kubectl, name: str) -> Node:
    """One node. Raises StepError where there is none."""
    item = kubectl.object("node", name)
    if item is None:
        raise StepError(f"there is no node {name}")
    return node_from(item)


def table(rows: Sequence[Node]) -> str:
    """The nodes as scripts inside a node read them: PODCIDR ADDRESS OWNER NAME, a line each."""
    return "".join(f"{row.pod_cidr} {row.address} {row.owner or '-'} {row.name}\n" for row in rows)


def on_every_node(kubectl: Kubectl, script: str, **env: str) -> None:
    """Runs a script on every node side by side, with the table of nodes on stdin."""
    rows = nodes(kubectl)

    def task(name: str) -> str:
        return on_node(name, script, env=env, stdin=table(rows))

    each({row.name: (lambda name=row.name: task(name)) for row in rows}, f"{script} {env.get('STEP', '')}".strip())


def label(kubectl: Kubectl, name: str, **labels: str) -> None:
    """Sets labels of a node, written with `_` for `-`."""
    pairs = [f"{key.replace('_', '-')}={value}" for key, value in labels.items()]
    kubectl.act("label", "node", name, "--overwrite", *pairs)


def cordon(kubectl: Kubectl, name: str) -> None:
    """Cordons a node and notes that a move did it, in one stroke: a user's own cordon has no such note, and stays."""
    kubectl.patch("node", name, {"metadata": {"annotations": {CORDONED: "true"}}, "spec": {"unschedulable": True}})


def lift_cordon(kubectl: Kubectl, name: str) -> None:
    """Lets a node take Pods again that a move has cordoned."""
    kubectl.patch("node", name, {"metadata": {"annotations": {CORDONED: None}}, "spec": {"unschedulable": None}})


def agent_since(kubectl: Kubectl, name: str, selector: str) -> str:
    """When the Pod with these labels was made on the node (RFC 3339, UTC). Raises StepError where there is none."""
    found = kubectl.objects("pods", selector=selector, fields=f"spec.nodeName={name}")
    if not found:
        raise StepError(f"{name} has no Pod {selector} any more; run the same command again")
    return min(str(item["metadata"]["creationTimestamp"]) for item in found)


def await_gone(kubectl: Kubectl, name: str, *labels: str) -> None:
    """Waits for up to 60 s until no Pod with one of these labels runs on the node, or is to. Not until the API has
    none: it has a Pod until the kubelet has removed its cgroup, which took it 30 s in every tenth migration. Raises
    StepError naming those that stay."""
    deadline, fields = time.monotonic() + _GONE, f"spec.nodeName={name}"
    while True:
        on_node(name, "gone", *labels, env={"SECONDS_MAX": str(_GONE)})
        # Behind it: one of which the API does not say that it has ended may have been started meanwhile.
        found = [item for one in labels for item in kubectl.objects("pods", selector=one, fields=fields)]
        staying = [f"{item['metadata']['namespace']}/{item['metadata']['name']}" for item in found if not _ended(item)]
        if not staying:
            return
        if time.monotonic() >= deadline:
            raise StepError(f"{name}: these Pods stay: {' '.join(staying)}; run the same command again")
        time.sleep(0.2)  # between two looks, not in place of a condition


def _ended(item: Object) -> bool:
    """Whether it is being deleted, and each of its containers has run and ended."""
    statuses: list[Object] = item["status"].get("containerStatuses") or []
    deleted = "deletionTimestamp" in item["metadata"]
    return deleted and bool(statuses) and all("terminated" in status["state"] for status in statuses)


def await_pod(kubectl: Kubectl, name: str, selector: str, seconds: int = _AGENT) -> None:
    """Waits until a Pod with these labels is Ready on the node. By watching: on a small machine questions in a loop
    take from the agent the CPU that it needs to start."""
    what = ("pods", "--all-namespaces", f"--selector={selector}", f"--field-selector=spec.nodeName={name}")
    try:
        kubectl.wait(*what, until="create", seconds=seconds)
        kubectl.wait(*what, until="condition=Ready", seconds=seconds)
    except ToolError as error:
        raise StepError(
            f"{name} has no Pod {selector} that is ready within {seconds} s; run the same command again: {error}"
        ) from error


def await_kube_proxy(kubectl: Kubectl, name: str) -> None:
    """Waits until kube-proxy serves on the node. Its Pod is Ready as soon as it runs, and writes its rules after that:
    where Cilium's programs went meanwhile, what was sent to a Service left the cluster for 0.2 s."""
    await_pod(kubectl, name, KUBE_PROXY, 60)
    on_node(name, "services", env={"SECONDS_MAX": "60"})
