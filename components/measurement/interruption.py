"""Interruption: what a migration cost the workloads, from the recording of the probers, and the budget's judgement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.step import Steps
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class InterruptionArgs:
    """`max_failures` (new connections) and `max_gap_seconds` are the budget, which counts where the strategy enforces
    it. `outside`: somebody outside of the cluster was to be asked, too. `after` has to hold the last step of the
    migration: the recording ends here."""

    steps: Steps
    max_failures: int
    max_gap_seconds: float
    outside: bool
    after: Sequence[pulumi.Resource]


class Interruption(pulumi.ComponentResource):
    """Owns nothing that lasts: it ends the recording and reports it.

    A migration that cost more than an enforced budget fails the `up` once: the migration itself is done, so the next
    `up` has nothing to repeat, and gives the same report. What interrupts by design is only reported.
    `result` is an object: measured, withinBudget, why and basis, and where it was measured strategy, requests,
    failures, longestGapSeconds, starvedSeconds, starvedRequests, connectionsBroken, kinds, held, pods, steps, and
    outside where it was asked for.
    """

    result: pulumi.Output[dict[str, Any]]

    def __init__(self, name: str, args: InterruptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Interruption", name, None, opts)
        steps = args.steps
        report = steps.step(
            f"{name}-report",
            "traffic_report",
            environment={
                **steps.claim.facts(),
                "NODES": " ".join(steps.cluster.node_names),
                "STRATEGY": steps.claim.strategy.name,
                "MAX_FAILURES": str(args.max_failures),
                "MAX_GAP_MS": str(round(args.max_gap_seconds * 1000)),
                "LEG": str(steps.stage.leg),
                "OUTSIDE": str(args.outside).lower(),
            },
            also=steps.stage.again,
            # The next migration's budget is no change of the last one's report.
            opts=steps.options(self, args.after, keep=("environment",)),
        )
        self.result = report.stdout.apply(json.loads)
        self.register_outputs({"result": self.result})


def report_interruption(
    settings: Settings, steps: Steps, after: Sequence[pulumi.Resource]
) -> pulumi.Output[dict[str, Any]]:
    """The stack output `interruption`, of the last migration."""
    if not settings.traffic.enabled:
        return pulumi.Output.from_input({"measured": False, "withinBudget": None, "why": "traffic.enabled is false"})
    return Interruption(
        "interruption",
        InterruptionArgs(
            steps=steps,
            max_failures=settings.migration.max_failures,
            max_gap_seconds=settings.migration.max_gap_seconds,
            outside=settings.traffic.outside,
            after=after,
        ),
    ).result
