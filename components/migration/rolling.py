"""The strategy `rolling`: node by node, and each node is drained before it changes its CNI."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.migration.by_nodes import prepare_by_nodes
from components.migration.node_moves import NodeMoves, NodeMovesArgs
from components.migration.way import Prepared, Start
from components.step import Steps
from settings import Settings
from settings.strategy import ROLLING
from steps.residue import render, residue


class Rolling:
    """Keeps the gate shut; each node's move is a resource of its own."""

    strategy = ROLLING

    def prepare(self, start: Start) -> Prepared:
        """The direct routes, with a budget that lets a drain take one CoreDNS at a time."""
        return prepare_by_nodes(start)

    def move(self, steps: Steps, settings: Settings, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Each node, in the order of the settings, as far as this `up` is to go."""
        pod_subnet = settings.cluster.pod_subnet
        moves = NodeMoves(
            "moves",
            NodeMovesArgs(
                steps=steps,
                groups=steps.stage.groups,
                pod_subnet=pod_subnet,
                verb="node_move",
                environment={
                    "DRAIN_SECONDS": str(settings.migration.drain_seconds),
                    "SERVICES_RESIDUE": render(residue(pod_subnet, ("kube-proxy",))),
                },
                # Not the runtime's: it goes on asking, and each Pod's result went when the Pod did.
                residue=render(residue(pod_subnet, ("flannel", "cilium"))),
                after=after,
            ),
        )
        return moves.done
