"""CoreDNS's disruption budget, for as long as nodes are drained: kind starts all of CoreDNS on one node, and drained at
once they would take DNS away. A user's own has the say: a Pod that two budgets match is evicted by nobody."""

from __future__ import annotations

import json

from steps.doors.kubectl import Kubectl
from steps.names import COREDNS_BUDGET, SYSTEM
from steps.preflight_budgets import budgets_over
from steps.running import say

_LABELS = {"k8s-app": "kube-dns"}
_MANIFEST = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": COREDNS_BUDGET, "namespace": SYSTEM},
    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _LABELS}},
}


def protect(kubectl: Kubectl) -> None:
    """One budget is over CoreDNS: the user's where there is one, else this project's."""
    pods = kubectl.objects("pods", namespace=SYSTEM, selector="k8s-app=kube-dns")
    others = [
        item
        for item in kubectl.objects("poddisruptionbudgets", namespace=SYSTEM)
        if item["metadata"]["name"] != COREDNS_BUDGET
    ]
    names = sorted({item["metadata"]["name"] for pod in pods for item in budgets_over(pod, others)})
    if names:
        say(f"CoreDNS has a budget of its own ({', '.join(names)}); this project's is left out")
        release(kubectl)
        return
    # Server-side and by force: an earlier version's, which the engine made, has another manager.
    kubectl.act("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=json.dumps(_MANIFEST))


def release(kubectl: Kubectl) -> None:
    """Takes this project's own away."""
    kubectl.delete("poddisruptionbudget", COREDNS_BUDGET, f"--namespace={SYSTEM}")
