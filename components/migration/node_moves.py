"""NodeMoves: each node's move is a resource of its own: preview lists them in order, and an `up` that was cut off goes
on with the first node that has not moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.step import Steps


@dataclass(frozen=True, kw_only=True)
class NodeMovesArgs:
    """`groups` are nodes that move side by side, a group after the other. `verb` moves one, with `environment` and the
    table `residue` of what it takes off the node; `after` is the new CNI."""

    steps: Steps
    groups: Sequence[Sequence[str]]
    pod_subnet: str
    verb: str
    environment: Mapping[str, str]
    residue: str
    after: Sequence[pulumi.Resource]


class NodeMoves(pulumi.ComponentResource):
    """Owns nothing that lasts: one Command a node, in a chain, and the last one, which takes away what is left of the
    old CNI when no node is its any more. A node's move that fails leaves the cluster serving, on two CNIs.

    Where the migration is to pause, the moves behind that and the last one are not there yet. Those of an earlier
    migration leave the state, and nothing else: a move has no deletion."""

    done: list[pulumi.Resource]

    def __init__(self, name: str, args: NodeMovesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:NodeMoves", name, None, opts)
        steps = args.steps
        # How the next migration is to drain is no change of what the last one did.
        keep = ("environment", "stdin")
        moved: list[pulumi.Resource] = []
        for group in args.groups:
            # Each group waits for the one before: two drains at once would need the room of two nodes.
            moved = [
                steps.step(
                    f"{name}-{node}",
                    args.verb,
                    environment={"NODE": node, **args.environment},
                    stdin=args.residue,
                    mark=f"move {node}",
                    opts=steps.options(self, [*args.after, *moved], keep=keep),
                )
                for node in group
            ]
        self.done = moved
        if steps.stage.pending:
            self.register_outputs({})
            return
        finished = steps.step(
            f"{name}-finish",
            "rolling_finish",
            environment={"POD_SUBNET": args.pod_subnet},
            mark="finish",
            opts=steps.options(self, [*args.after, *moved], keep=keep),
        )
        self.done = [finished]
        self.register_outputs({})
