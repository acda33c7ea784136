"""Interruption: what a migration cost the workloads, from the recording of the probers, and the budget's judgement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.kind_cluster import KindCluster
from components.ownership import Claim
from components.shell import script_command
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class InterruptionArgs:
    """`max_failures` (new connections) and `max_gap_seconds` are the budget of a migration by `rolling`. `nodes` names
    all nodes. `after` has to hold the last step of the migration: the recording ends here."""

    cluster: str
    cluster_resource: pulumi.Resource
    nodes: Sequence[str]
    claim: Claim
    max_failures: int
    max_gap_seconds: float
    after: Sequence[pulumi.Resource]


class Interruption(pulumi.ComponentResource):
    """Owns nothing that lasts: it ends the recording and reports it.

    A `rolling` migration that cost more than its budget fails the `up` once: the migration itself is done, so the next
    `up` has nothing to repeat, and gives the same report. `recreate` interrupts by design, and is only reported.
    `result` is an object: measured, and where it is true strategy, withinBudget, why, requests, failures,
    longestGapSeconds, connectionsBroken, kinds and steps; where it is false, why.
    """

    result: pulumi.Output[dict[str, Any]]

    def __init__(self, name: str, args: InterruptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Interruption", name, None, opts)
        report = script_command(
            f"{name}-report",
            "traffic-report",
            environment={
                "CLUSTER": args.cluster,
                "STACK": args.claim.stack,
                "EPOCH": str(args.claim.epoch),
                "NODES": " ".join(args.nodes),
                "STRATEGY": args.claim.strategy,
                "MAX_FAILURES": str(args.max_failures),
                "MAX_GAP_MS": str(round(args.max_gap_seconds * 1000)),
            },
            triggers=args.claim.triggers,
            once=True,
            # deleted_with: a report has nothing to undo, and a destroy takes the cluster away.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(args.after),
                deleted_with=args.cluster_resource,
                # The next migration's budget is no change of the last one's report.
                ignore_changes=[] if args.claim.due else ["environment"],
            ),
        )
        self.result = report.stdout.apply(json.loads)
        self.register_outputs({"result": self.result})


def report_interruption(
    settings: Settings, cluster: KindCluster, claim: Claim, after: Sequence[pulumi.Resource]
) -> pulumi.Output[dict[str, Any]]:
    """The stack output `interruption`, of the last migration."""
    if not settings.traffic.enabled:
        return pulumi.Output.from_input({"measured": False, "why": "traffic.enabled is false"})
    return Interruption(
        "interruption",
        InterruptionArgs(
            cluster=settings.cluster.name,
            cluster_resource=cluster.resource,
            nodes=cluster.node_names,
            claim=claim,
            max_failures=settings.migration.max_failures,
            max_gap_seconds=settings.migration.max_gap_seconds,
            after=after,
        ),
    ).result
