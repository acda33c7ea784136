"""Migration: everything that comes before the new CNI, in the order of the claim's strategy.

    recreate: preflight -> claim -> gate (the engine has deleted the old CNI by then) -> node clean-up -> evict Pods
    rolling:  preflight -> claim -> direct routes between all nodes; the gate stays shut

The new CNI comes after it, through `gate`; rolling.py then moves the nodes. Each step is a Command with the claim's
triggers: it runs once for a claim, and a step that failed is the first to run in the next `up`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cni import Requirements, requirements
from components.gate import Gate, gate_options, shut
from components.kind_cluster import KindCluster
from components.migration_settings import TrafficSettings
from components.observation import Observed
from components.ownership import Claim
from components.probes import probe_namespace
from components.recreate import clear_nodes
from components.rolling import prepare
from components.shell import script_command
from components.traffic import TrafficProbe, TrafficProbeArgs
from settings import Settings

# Older than any Pod: nothing of a rolling migration is left with a dead network.
NO_POD = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class MigrationArgs:
    """`cluster_resource` is what a destroy deletes as a whole; `requirements` is what the new CNI needs to start;
    `boots` are the times when the nodes were started last; `traffic` is how the interruption is measured."""

    cluster: str
    cluster_resource: pulumi.Resource
    provider: kubernetes.Provider
    nodes: Sequence[str]
    boots: Sequence[str]
    pod_subnet: str
    claim: Claim
    abandon_epoch: int
    unenforced_policies: bool
    requirements: Requirements
    probe_image: str
    traffic: TrafficSettings

    @classmethod
    def of(
        cls,
        settings: Settings,
        cluster: KindCluster,
        claim: Claim,
        observed: Observed | None,
    ) -> MigrationArgs:
        """The migration of `cluster` as the settings have it."""
        return cls(
            cluster=settings.cluster.name,
            cluster_resource=cluster.resource,
            provider=cluster.provider,
            nodes=cluster.node_names,
            boots=[node.started for node in observed.nodes] if observed else [],
            pod_subnet=settings.cluster.pod_subnet,
            claim=claim,
            abandon_epoch=settings.migration.abandon_epoch,
            unenforced_policies=settings.migration.unenforced_policies,
            requirements=requirements(settings),
            probe_image=settings.images.probe,
            traffic=settings.traffic,
        )


class Migration(pulumi.ComponentResource):
    """Owns the marker's claim, the probes' namespace and the TrafficProbe; in `recreate` the clean-up of the nodes and
    the eviction of Pods that lost their network, in `rolling` the direct routes and CoreDNS's budget.

    Does not own either CNI: their resources follow the gate. Nothing is touched before preflight and claim succeeded.
    `stranded_before` is the time (UTC, RFC 3339) before which Pods have lost their network.
    """

    gate: Gate
    namespace: pulumi.Resource
    stranded_before: pulumi.Output[str]

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Migration", name, None, opts)
        self._name, self._args = name, args
        claim = args.claim
        self._base = {"CLUSTER": args.cluster, "STACK": claim.stack, "CNI": claim.cni, "EPOCH": str(claim.epoch)}
        begun = self._begin()
        if claim.strategy == "rolling":
            self._roll(begun)
        else:
            self._recreate(begun)
        self.register_outputs({"strandedBefore": self.stranded_before})

    def _after(self, *steps: pulumi.Resource) -> pulumi.ResourceOptions:
        # deleted_with: a destroy takes the cluster away, and none of these steps can be undone on its own.
        return pulumi.ResourceOptions(parent=self, depends_on=list(steps), deleted_with=self._args.cluster_resource)

    def _begin(self) -> list[pulumi.Resource]:
        args, claim, need = self._args, self._args.claim, self._args.requirements
        preflight = script_command(
            f"{self._name}-preflight",
            "preflight",
            environment={
                **self._base,
                "STRATEGY": claim.strategy,
                "UNENFORCED_POLICIES": str(args.unenforced_policies).lower(),
                "NODES": " ".join(args.nodes),
                "IMAGES": " ".join(need.images),
                "CHART": need.chart.get("chart", ""),
                "CHART_REPOSITORY": need.chart.get("repository", ""),
                "CHART_VERSION": need.chart.get("version", ""),
            },
            stdin=need.values,
            triggers=claim.triggers,
            opts=self._after(args.cluster_resource, args.provider),
        )
        claimed = script_command(
            f"{self._name}-claim",
            "claim",
            environment={
                **self._base,
                "GENERATION": claim.generation,
                "STRATEGY": claim.strategy,
                "ABANDON_EPOCH": str(args.abandon_epoch),
            },
            triggers=claim.triggers,
            once=True,
            opts=self._after(preflight),
        )
        self.namespace = probe_namespace(
            f"{self._name}-namespace",
            pulumi.ResourceOptions.merge(self._after(claimed), pulumi.ResourceOptions(provider=args.provider)),
        )
        if not args.traffic.enabled:
            return [claimed]
        traffic = TrafficProbe(
            f"{self._name}-traffic",
            TrafficProbeArgs(
                image=args.probe_image,
                hertz=args.traffic.hertz,
                cluster=args.cluster_resource,
                provider=args.provider,
                namespace=self.namespace,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        recording = script_command(
            f"{self._name}-record",
            "traffic-record",
            environment={**self._base, "STRATEGY": claim.strategy, "NODES": " ".join(args.nodes)},
            triggers=claim.triggers,
            once=True,
            opts=self._after(claimed, *traffic.ready),
        )
        return [claimed, recording]

    def _recreate(self, begun: Sequence[pulumi.Resource]) -> None:
        args = self._args
        gate = self._gate("takeover", gate_options(self, args.cluster_resource, after=[*begun, args.provider]))
        cleared, self.stranded_before = clear_nodes(
            self._name,
            parent=self,
            environment=self._base,
            nodes=args.nodes,
            pod_subnet=args.pod_subnet,
            claim=args.claim,
            gate=gate,
            cluster=args.cluster_resource,
        )
        self.gate = Gate(resource=gate, after=cleared, cluster=args.cluster_resource, rolling=False)

    def _roll(self, begun: Sequence[pulumi.Resource]) -> None:
        args = self._args
        gate = self._gate("keep", shut(gate_options(self, args.cluster_resource, after=[*begun, args.provider])))
        prepared = prepare(
            self._name,
            environment={**self._base, "POD_SUBNET": args.pod_subnet},
            claim=args.claim,
            boots=args.boots,
            provider=args.provider,
            opts=self._after(*begun),
        )
        self.stranded_before = pulumi.Output.from_input(NO_POD)
        self.gate = Gate(resource=gate, after=prepared, cluster=args.cluster_resource, rolling=True)

    def _gate(self, script: str, opts: pulumi.ResourceOptions) -> pulumi.Resource:
        return script_command(
            f"{self._name}-gate",
            script,
            environment=self._base,
            triggers=self._args.claim.triggers,
            once=True,
            opts=opts,
        )
