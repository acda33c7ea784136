"""CoreDNS's disruption budget. A function; the resource belongs to its caller."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.cni.workload import FORCE
from steps.names import SYSTEM


def coredns_budget(name: str, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """A PodDisruptionBudget: kind starts all of CoreDNS on one node, and drained at once they would take DNS away."""
    return kubernetes.policy.v1.PodDisruptionBudget(
        name,
        metadata=kubernetes.meta.v1.ObjectMetaArgs(
            name="cni-migration-coredns", namespace=SYSTEM, annotations=dict(FORCE)
        ),
        spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
            max_unavailable=1, selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"})
        ),
        opts=opts,
    )
