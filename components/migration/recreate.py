"""The strategy `recreate`: the gate takes the old CNI down on all nodes at once, the nodes are cleaned, and the Pods
that have lost their network are evicted; the new CNI comes after that."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.gate import Gate, gate_options
from components.migration.node_cleanup import NodeCleanup, NodeCleanupArgs
from components.migration.way import Prepared, Start
from components.step import Steps
from settings import Settings
from settings.strategy import RECREATE


class Recreate:
    """Opens the gate; nothing is left to move once the new CNI is there."""

    strategy = RECREATE

    def prepare(self, start: Start) -> Prepared:
        """Copies of the Pods that nobody makes anew, gate, clean-up of every node, eviction."""
        steps = start.steps
        cluster = steps.cluster
        # Before the gate: once the network is down, a Pod's manifest may be gone before it could be read.
        kept = steps.step(f"{start.name}-keep-pods", "pods_keep", opts=steps.options(start.parent, start.begun))
        gate = steps.step(
            f"{start.name}-gate",
            "takeover",
            mark="takeover",
            opts=gate_options(start.parent, cluster.resource, after=[*start.begun, kept, cluster.provider]),
        )
        cleanup = NodeCleanup(
            f"{start.name}-cleanup",
            NodeCleanupArgs(steps=steps, pod_subnet=start.settings.cluster.pod_subnet, after=[gate]),
            pulumi.ResourceOptions(parent=start.parent),
        )
        evicted = steps.step(
            f"{start.name}-evict",
            "pods_evict",
            environment={"CUTOFF": cleanup.cleaned_at},
            mark="evict, install",
            opts=steps.options(start.parent, cleanup.steps),
        )
        ready = [*cleanup.steps, evicted]
        return Prepared(
            gate=Gate(resource=gate, after=ready, cluster=cluster.resource),
            stranded_before=cleanup.cleaned_at,
        )

    def move(self, steps: Steps, settings: Settings, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Nothing: every node has the new CNI by its label."""
        return []
