"""Static Pods on the Pod network. They are out of a file on their node: a deletion takes only the object by which the
API shows them, and the sandbox lives on without a network. So it is their sandbox that is made anew, on the node."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from steps.doors.kubectl import Kubectl, Object
from steps.doors.node import on_node
from steps.pods import Pod, pod_from
from steps.running import StepError, say
from steps.side_by_side import each

# Seconds until a static Pod runs in its new sandbox.
_TO_COME = 120
# Seconds that its containers get to end by themselves, at most.
_TO_END = 60


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """`created` is RFC 3339 in UTC; `pod` is NAMESPACE/NAME."""

    id: str
    pod: str
    created: str


def renew_static_pods(kubectl: Kubectl, pods: Sequence[Pod], *, before: str) -> None:
    """Each static Pod has a sandbox that is not older than `before`, and is ready in it where it was ready so far.
    Raises StepError naming those that are not."""
    nodes = sorted({pod.node for pod in pods})
    on = {name: [pod for pod in pods if pod.node == name] for name in nodes}
    each({name: (lambda name=name: _renew(kubectl, name, on[name], before)) for name in nodes}, "static Pods")


def ready_sandboxes(node: str) -> list[Sandbox]:
    """Those that run on the node. Raises StepError where the runtime's answer cannot be read."""
    answer = on_node(node, "sandboxes", env={"STEP": "list"})
    try:
        items: list[Object] = json.loads(answer)["items"] or []
        return [_sandbox(item) for item in items if item["state"] == "SANDBOX_READY"]
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"{node}: the runtime's list of sandboxes cannot be read: {answer[:200]!r}") from error


def _sandbox(item: Object) -> Sandbox:
    made = datetime.fromtimestamp(int(item["createdAt"]) // 10**9, tz=UTC)
    return Sandbox(
        id=str(item["id"]),
        pod=f"{item['metadata']['namespace']}/{item['metadata']['name']}",
        created=made.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _renew(kubectl: Kubectl, node: str, pods: Sequence[Pod], before: str) -> None:
    found = ready_sandboxes(node)
    for pod in pods:
        if stranded := [box.id for box in found if box.pod == pod.full_name and box.created < before]:
            say(f"{node}: a new sandbox for the static Pod {pod.full_name}")
            grace = str(min(pod.grace, _TO_END))
            on_node(node, "sandboxes", *stranded, env={"STEP": "renew", "GRACE": grace})
    deadline = time.monotonic() + _TO_COME
    while missing := _missing(kubectl, node, pods, before):
        if time.monotonic() >= deadline:
            raise StepError(
                f"these static Pods are not back within {_TO_COME} s: {' '.join(missing)}; look at the kubelet's log "
                "there, run the same command again"
            )
        time.sleep(2)  # between two questions, not in place of a condition


def _missing(kubectl: Kubectl, node: str, pods: Sequence[Pod], before: str) -> list[str]:
    since = {box.pod: box.created for box in ready_sandboxes(node) if box.created >= before}
    return [pod.full_name for pod in pods if not _back(kubectl, pod, since.get(pod.full_name, ""))]


def _back(kubectl: Kubectl, pod: Pod, since: str) -> bool:
    """Whether it has a new sandbox, and the API shows it ready in that one: what it shows may be the old one's."""
    if not since or pod.state != "ready":
        return bool(since)
    item = kubectl.object("pod", pod.name, namespace=pod.namespace)
    if item is None or pod_from(item).state != "ready":
        return False
    running: list[Object] = [status.get("state", {}).get("running") or {} for status in _statuses(item)]
    return bool(running) and all(state.get("startedAt", "") >= since for state in running)


def _statuses(item: Object) -> list[Object]:
    return list(item.get("status", {}).get("containerStatuses") or [])
