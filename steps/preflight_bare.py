"""What could not be made again once it is taken away: Pods without a controller whose creation the API refuses by now,
and static Pods that end for good. Asked by a creation that is only tried."""

from __future__ import annotations

import json
from collections.abc import Sequence

from steps import marker
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.findings.capacity import quantity
from steps.pods import items_on_pod_network, pod_from
from steps.pods_manifest import manifest_of, under_another_name
from steps.running import StepError
from steps.side_by_side import each


def obstacles(kubectl: Kubectl, *, drains: bool) -> list[str]:
    """A line for each. Raises StepError where one of the questions has no answer. A strategy that `drains` takes no Pod
    away that has no controller, so it is asked for none."""
    items = items_on_pod_network(kubectl)
    static = [
        f"static Pod {pod.full_name} has restartPolicy Never, so it would end for good with its network: take its file "
        f"off {pod.node} first, or let it restart"
        for item in items
        for pod in [pod_from(item)]
        if pod.static and item["spec"].get("restartPolicy") == "Never"
    ]
    return static if drains else [*static, *_refused(kubectl, items)]


def _refused(kubectl: Kubectl, items: Sequence[Object]) -> list[str]:
    bare = {
        pod.full_name: item
        for item in items
        for pod in [pod_from(item)]
        if pod.bare and pod.node and pod.state != "leaving"
    }
    answers = each({name: (lambda item=item: _try(kubectl, item)) for name, item in bare.items()}, "a tried creation")
    return [
        f"Pod {name} has no controller, and the API would not let it be made anew: {' '.join(answer.split())}"
        for name, answer in answers.items()
        if answer and not _passing(kubectl, name.split("/", 1)[0], answer)
    ]


def _try(kubectl: Kubectl, item: Object) -> str:
    """The API's refusal, empty where it would create the Pod."""
    manifest = json.dumps(under_another_name(manifest_of(item)))
    try:
        kubectl.run("create", "--dry-run=server", "--output=name", "--filename=-", stdin=manifest)
    except ToolError as error:
        if error.says("Error from server", " is invalid: "):
            return error.said
        raise
    return ""


def _passing(kubectl: Kubectl, namespace: str, answer: str) -> bool:
    """Whether the refusal is of this moment, and not of the Pod."""
    if "exceeded quota: " in answer:
        # The old Pod still counts: its place is free when it has gone, unless more is used than is allowed now.
        return not any(_overdrawn(item) for item in kubectl.objects("resourcequotas", namespace=namespace))
    if "failed calling webhook" in answer:
        # The network may be down: a migration that was cut off must be able to go on, and creation is retried.
        return marker.cut_off(kubectl)
    return False


def _overdrawn(quota: Object) -> bool:
    status: Object = quota.get("status") or {}
    used: dict[str, str] = status.get("used") or {}
    hard: dict[str, str] = status.get("hard") or {}
    try:
        return any(quantity(used[name]) > quantity(limit) for name, limit in hard.items() if name in used)
    except ValueError as error:
        raise StepError(f"ResourceQuota {quota['metadata']['name']} cannot be read: {error}") from error
