"""NodeCleanup: takes what both CNIs leave off the nodes, one Command a node, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.step import Steps
from steps.residue import render, residue


@dataclass(frozen=True, kw_only=True)
class NodeCleanupArgs:
    """`steps` makes the Commands, which run once a claim; `after` is the gate."""

    steps: Steps
    pod_subnet: str
    after: Sequence[pulumi.Resource]


class NodeCleanup(pulumi.ComponentResource):
    """Owns nothing that lasts: each Command ran once for its triggers. Has to run when no CNI runs on the nodes.

    `cleaned_at` is the time (UTC, RFC 3339) of the last node; every Pod older than it has lost its network.
    """

    cleaned_at: pulumi.Output[str]
    steps: list[pulumi.Resource]

    def __init__(self, name: str, args: NodeCleanupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:NodeCleanup", name, None, opts)
        commands = [
            args.steps.step(
                f"{name}-{node}",
                "node_clean",
                environment={"NODE": node, "POD_SUBNET": args.pod_subnet},
                stdin=render(residue(args.pod_subnet)),
                # Side by side they are one step, so one of them notes it.
                mark="clean" if node == args.steps.cluster.control_plane else "",
                opts=args.steps.options(self, args.after),
            )
            for node in args.steps.cluster.node_names
        ]
        self.steps = list(commands)
        self.cleaned_at = pulumi.Output.all(*[each.stdout for each in commands]).apply(max)
        self.register_outputs({"cleanedAt": self.cleaned_at})
