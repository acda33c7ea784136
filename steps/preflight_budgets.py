"""Budgets that would stop a drain: one that permits nothing now, two over one Pod, one that nobody can count."""

from __future__ import annotations

from collections.abc import Sequence

from steps.doors.kubectl import Kubectl, Object
from steps.evictions import blocking_budgets
from steps.findings.selector import matches
from steps.names import COREDNS_BUDGET, MEASUREMENT, SYSTEM
from steps.objects import full_name, labels_of, part
from steps.pods import pod_from


def budgets_over(pod: Object, budgets: Sequence[Object]) -> list[Object]:
    """The budgets that match a Pod. One without a selector matches none, one with an empty one matches all."""
    return [
        budget
        for budget in budgets
        if budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
        and budget["spec"].get("selector") is not None
        and matches(budget["spec"]["selector"], labels_of(pod))
    ]


def stopping_budgets(kubectl: Kubectl, pods: Sequence[Object]) -> list[str]:
    """A line for each. `pods` are those that have not ended; those on the host's network stay where they are."""
    # This project's own makes way for a user's (coredns_budget.py), so it is none of two.
    items = [
        item for item in kubectl.objects("poddisruptionbudgets") if full_name(item) != f"{SYSTEM}/{COREDNS_BUDGET}"
    ]
    drained = [pod for pod in pods if not pod["spec"].get("hostNetwork")]
    permits: dict[str, int] = {full_name(item): part(item, "status").get("disruptionsAllowed", 0) for item in items}
    over: dict[str, list[str]] = {
        pod_from(pod).full_name: [full_name(item) for item in budgets_over(pod, items)] for pod in drained
    }
    # One over a DaemonSet's Pods that says a percentage or maxUnavailable cannot be counted by its controller, which
    # then permits nothing and expects no Pods: it is not among those that permit nothing to the Pods they expect.
    daemons = [pod_from(pod).full_name for pod in drained if pod_from(pod).controller == "DaemonSet"]
    uncounted = {budget for name in daemons for budget in over[name] if permits[budget] == 0}
    # The probers' own may be so young that its Pods are not there yet; traffic_record.py waits for them.
    blocked = {name for name in blocking_budgets(kubectl) if not name.startswith(f"{MEASUREMENT}/")}
    # A drain asks none that is over Pods on the host's network only.
    stay = {full_name(item) for pod in pods if pod["spec"].get("hostNetwork") for item in budgets_over(pod, items)}
    blocked -= stay - {budget for found in over.values() for budget in found}
    return [
        *(
            f"PodDisruptionBudget {name} permits no eviction now, so a drain would wait for ever"
            for name in sorted(blocked)
        ),
        *(
            f"PodDisruptionBudget {name} is over Pods of a DaemonSet and permits no eviction, so their node would "
            f"stand still without an agent: say minAvailable in Pods, or delete it for the time"
            for name in sorted(uncounted - blocked)
        ),
        *(
            f"Pod {name} is matched by more than one PodDisruptionBudget ({', '.join(found)}), and the API evicts no "
            f"such Pod: let one of them match it"
            for name, found in over.items()
            if len(found) > 1
        ),
    ]
