"""NodeCleanup: takes what both CNIs leave off the nodes, one Command a node, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.residue import render, residue
from components.shell import script_command


@dataclass(frozen=True, kw_only=True)
class NodeCleanupArgs:
    """`nodes` are node container names; `triggers` change when a migration begins (and only then)."""

    nodes: Sequence[str]
    pod_subnet: str
    triggers: Sequence[str]
    after: Sequence[pulumi.Resource]
    cluster: pulumi.Resource


class NodeCleanup(pulumi.ComponentResource):
    """Owns nothing that lasts: each Command ran once for its triggers. Has to run when no CNI runs on the nodes.

    `cleaned_at` is the time (UTC, RFC 3339) of the last node; every Pod older than it has lost its network.
    """

    cleaned_at: pulumi.Output[str]
    steps: list[pulumi.Resource]

    def __init__(self, name: str, args: NodeCleanupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:NodeCleanup", name, None, opts)
        # deleted_with: a destroy takes the nodes away; there is nothing to undo on them first.
        child_opts = pulumi.ResourceOptions(parent=self, deleted_with=args.cluster, depends_on=list(args.after))
        commands = [
            script_command(
                f"{name}-{node}",
                "node-clean",
                environment={"NODE": node},
                stdin=render(residue(args.pod_subnet)),
                triggers=args.triggers,
                once=True,
                opts=child_opts,
            )
            for node in args.nodes
        ]
        self.steps = list(commands)
        self.cleaned_at = pulumi.Output.all(*[command.stdout for command in commands]).apply(max)
        self.register_outputs({"cleanedAt": self.cleaned_at})
