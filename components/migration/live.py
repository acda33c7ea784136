"""The strategy `live`: node by node, and each node changes its CNI under Pods that run on."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.migration.by_nodes import prepare_by_nodes
from components.migration.node_moves import NodeMoves, NodeMovesArgs
from components.migration.way import Prepared, Start
from components.step import Steps
from settings import Settings
from settings.strategy import LIVE
from steps.residue import handed_over, plugin_calls, render, residue, without_devices


class Live:
    """Keeps the gate shut; each node's move is a resource of its own."""

    strategy = LIVE

    def prepare(self, start: Start) -> Prepared:
        """The direct routes. Nothing is drained."""
        return prepare_by_nodes(start)

    def move(self, steps: Steps, settings: Settings, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Each node, in the order of the settings, as far as this `up` is to go."""
        pod_subnet = settings.cluster.pod_subnet
        if settings.cni == "cilium":
            verb, residue_left = "live_to_cilium", handed_over()
            environment = {"PLUGIN_RESIDUE": render(plugin_calls("flannel")), "POD_SUBNET": pod_subnet}
        else:
            verb, residue_left = "live_to_flannel", residue(pod_subnet, ("cilium",))
            environment = {
                "PLUGIN_RESIDUE": render(plugin_calls("cilium")),
                "EARLY_RESIDUE": render(without_devices(pod_subnet)),
                "POD_SUBNET": pod_subnet,
            }
        moves = NodeMoves(
            "moves",
            NodeMovesArgs(
                steps=steps,
                groups=steps.stage.groups,
                pod_subnet=pod_subnet,
                verb=verb,
                environment=environment,
                residue=render(residue_left),
                after=after,
            ),
        )
        return moves.done
