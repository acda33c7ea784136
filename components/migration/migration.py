"""Migration: everything that comes before the new CNI, in the order of the claim's strategy.

    recreate: preflight -> claim -> gate (the engine has deleted the old CNI by then) -> node clean-up -> evict Pods
    rolling and live:  preflight -> claim -> direct routes between all nodes; the gate stays shut

The new CNI comes after it, through `gate`; the strategy then moves the nodes. Each step is a Command with the claim's
triggers: it runs once for a claim, and a step that failed is the first to run in the next `up`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cni.choice import Requirements
from components.gate import Gate
from components.measurement.traffic import TrafficProbeArgs
from components.migration.way import Start
from components.migration.ways import way_of
from components.parts import Parts
from components.step import Steps
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class MigrationArgs:
    """`requirements` is what the new CNI needs to start; `boots` are the times when the nodes were started last;
    `parts` makes what lives in the cluster."""

    settings: Settings
    steps: Steps
    boots: Sequence[str]
    requirements: Requirements
    parts: Parts


class Migration(pulumi.ComponentResource):
    """Owns the marker's claim, the probes' namespace and the TrafficProbe, and what the strategy prepares: the clean-up
    of the nodes and the eviction of Pods that lost their network, or the direct routes.

    Does not own either CNI: their resources follow the gate. Nothing is touched before preflight and claim succeeded.
    `stranded_before` is the time (UTC, RFC 3339) before which Pods have lost their network.
    """

    gate: Gate
    namespace: pulumi.Resource
    stranded_before: pulumi.Output[str]

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Migration", name, None, opts)
        self._name, self._args = name, args
        start = Start(
            name=name,
            parent=self,
            steps=args.steps,
            settings=args.settings,
            boots=args.boots,
            begun=self._begin(),
            parts=args.parts,
        )
        prepared = way_of(args.steps.claim.strategy).prepare(start)
        self.gate, self.stranded_before = prepared.gate, prepared.stranded_before
        self.register_outputs({"strandedBefore": self.stranded_before, "interrupts": args.steps.claim.interrupts})

    def _begin(self) -> list[pulumi.Resource]:
        args, steps, need = self._args, self._args.steps, self._args.requirements
        claim, cluster = steps.claim, steps.cluster
        preflight = steps.step(
            f"{self._name}-preflight",
            "preflight",
            environment={
                **claim.strategy.facts(),
                "STRATEGY": claim.strategy.name,
                "BROKEN_CONNECTIONS": str(args.settings.migration.broken_connections).lower(),
                "UNENFORCED_POLICIES": str(args.settings.migration.unenforced_policies).lower(),
                "NODES": " ".join(cluster.node_names),
                "POD_SUBNET": args.settings.cluster.pod_subnet,
                "SERVICE_SUBNET": args.settings.cluster.service_subnet,
                "IMAGES": " ".join(need.images),
                "CHART": need.chart.chart if need.chart else "",
                "CHART_REPOSITORY": need.guarded(need.chart.repository if need.chart else ""),
                "CHART_VERSION": need.chart.version if need.chart else "",
            },
            # By stdin: a value in an argument or the environment is seen by every user of the machine.
            stdin=need.guarded(need.values_json),
            once=False,
            opts=steps.options(self, [cluster.resource, cluster.provider]),
        )
        claimed = steps.step(
            f"{self._name}-claim",
            "claim",
            environment={
                "GENERATION": claim.generation,
                "STRATEGY": claim.strategy.name,
                "PREVIOUS": f"{claim.previous.stack} {claim.previous.cni}" if claim.previous else "",
                "ABANDON_EPOCH": str(args.settings.migration.abandon_epoch),
            },
            opts=steps.options(self, [preflight]),
        )
        self.namespace = args.parts.probe_namespace(
            f"{self._name}-namespace",
            pulumi.ResourceOptions.merge(
                steps.options(self, [claimed]), pulumi.ResourceOptions(provider=cluster.provider)
            ),
        )
        return [claimed, *self._record(claimed)]

    def _record(self, claimed: pulumi.Resource) -> list[pulumi.Resource]:
        args, steps = self._args, self._args.steps
        if not args.settings.traffic.enabled:
            return []
        traffic = args.parts.traffic(
            f"{self._name}-traffic",
            TrafficProbeArgs(
                image=args.settings.images.probe,
                hertz=args.settings.traffic.hertz,
                outside=args.settings.traffic.outside,
                cluster=steps.cluster.resource,
                provider=steps.cluster.provider,
                namespace=self.namespace,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        recording = steps.step(
            f"{self._name}-record",
            "traffic_record",
            environment={
                **steps.claim.facts(),
                "NODES": " ".join(steps.cluster.node_names),
                "LEG": str(steps.stage.leg),
                "OUTSIDE": str(args.settings.traffic.outside).lower(),
                "IMAGE": args.settings.images.probe,
                "HERTZ": str(args.settings.traffic.hertz),
            },
            # Behind a pause another recording begins: one of days would be given up, and its budget is an `up`'s.
            also=steps.stage.again,
            # That the migration is not due any more is no change of how it was recorded.
            opts=steps.options(self, [claimed, *traffic.ready], keep=("environment",)),
        )
        return [recording]
