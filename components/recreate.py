"""The strategy `recreate`: the gate takes the old CNI down on all nodes at once, the nodes are cleaned, and the Pods
that have lost their network are evicted; the new CNI comes after that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.node_cleanup import NodeCleanup, NodeCleanupArgs
from components.ownership import Claim
from components.shell import script_command


def clear_nodes(
    name: str,
    *,
    parent: pulumi.Resource,
    environment: Mapping[str, pulumi.Input[str]],
    nodes: Sequence[str],
    pod_subnet: str,
    claim: Claim,
    gate: pulumi.Resource,
    cluster: pulumi.Resource,
) -> tuple[list[pulumi.Resource], pulumi.Output[str]]:
    """The steps behind the gate, and the time (UTC, RFC 3339) before which Pods have lost their network."""
    cleanup = NodeCleanup(
        f"{name}-cleanup",
        NodeCleanupArgs(nodes=nodes, pod_subnet=pod_subnet, triggers=claim.triggers, after=[gate], cluster=cluster),
        pulumi.ResourceOptions(parent=parent),
    )
    evicted = script_command(
        f"{name}-evict",
        "pods-evict",
        environment={**environment, "CUTOFF": cleanup.cleaned_at},
        triggers=claim.triggers,
        once=True,
        # deleted_with: a destroy takes the cluster away; an eviction cannot be undone.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(cleanup.steps), deleted_with=cluster),
    )
    return [*cleanup.steps, evicted], cleanup.cleaned_at
