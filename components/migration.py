"""Migration: the order of things in the strategy `recreate`.

    preflight -> claim -> gate (the engine has deleted the old CNI by then) -> node clean-up -> stranded Pods evicted

The new CNI comes after it, through `gate`. Each step is a Command with the claim's triggers: it runs once for a claim,
and a step that failed is the first to run in the next `up`. Room for another strategy is here: it would give other
steps and another Gate, and leave the CNI, the probes and the verification as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cni import Requirements, requirements
from components.gate import Gate, gate_options
from components.kind_cluster import KindCluster
from components.node_cleanup import NodeCleanup, NodeCleanupArgs
from components.ownership import Claim
from components.shell import script_command
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class MigrationArgs:
    """`cluster_resource` is what a destroy deletes as a whole; `requirements` is what the new CNI needs to start."""

    cluster: str
    cluster_resource: pulumi.Resource
    provider: kubernetes.Provider
    nodes: Sequence[str]
    pod_subnet: str
    claim: Claim
    abandon_epoch: int
    requirements: Requirements

    @classmethod
    def of(cls, settings: Settings, cluster: KindCluster, claim: Claim) -> MigrationArgs:
        """The migration of `cluster` as the settings have it."""
        return cls(
            cluster=settings.cluster.name,
            cluster_resource=cluster.resource,
            provider=cluster.provider,
            nodes=cluster.node_names,
            pod_subnet=settings.cluster.pod_subnet,
            claim=claim,
            abandon_epoch=settings.migration.abandon_epoch,
            requirements=requirements(settings),
        )


class Migration(pulumi.ComponentResource):
    """Owns the marker's claim, the clean-up of the nodes and the eviction of Pods that lost their network.

    Does not own either CNI: their resources follow the gate. Nothing is touched before preflight and claim succeeded.
    """

    gate: Gate
    cleaned_at: pulumi.Output[str]

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Migration", name, None, opts)
        claim, triggers, cluster = args.claim, args.claim.triggers, args.cluster_resource
        base = {"CLUSTER": args.cluster, "STACK": claim.stack, "CNI": claim.cni, "EPOCH": str(claim.epoch)}

        def after(*steps: pulumi.Resource) -> pulumi.ResourceOptions:
            # deleted_with: a destroy takes the cluster away, and none of these steps can be undone on its own.
            return pulumi.ResourceOptions(parent=self, depends_on=list(steps), deleted_with=cluster)

        preflight = script_command(
            f"{name}-preflight",
            "preflight",
            environment={
                **base,
                "NODES": " ".join(args.nodes),
                "IMAGES": " ".join(args.requirements.images),
                "CHART": args.requirements.chart.get("chart", ""),
                "CHART_REPOSITORY": args.requirements.chart.get("repository", ""),
                "CHART_VERSION": args.requirements.chart.get("version", ""),
            },
            stdin=args.requirements.values,
            triggers=triggers,
            opts=after(cluster, args.provider),
        )
        claimed = script_command(
            f"{name}-claim",
            "claim",
            environment={
                **base,
                "GENERATION": claim.generation,
                "ABANDON_EPOCH": str(args.abandon_epoch),
            },
            triggers=triggers,
            once=True,
            opts=after(preflight),
        )
        gate = script_command(
            f"{name}-gate",
            "takeover",
            environment=base,
            triggers=triggers,
            once=True,
            opts=gate_options(self, cluster, after=[claimed, args.provider]),
        )
        cleanup = NodeCleanup(
            f"{name}-cleanup",
            NodeCleanupArgs(
                nodes=args.nodes, pod_subnet=args.pod_subnet, triggers=triggers, after=[gate], cluster=cluster
            ),
            pulumi.ResourceOptions(parent=self),
        )
        evicted = script_command(
            f"{name}-evict",
            "pods-evict",
            environment={**base, "CUTOFF": cleanup.cleaned_at},
            triggers=triggers,
            once=True,
            opts=after(*cleanup.steps),
        )
        self.cleaned_at = cleanup.cleaned_at
        self.gate = Gate(resource=gate, after=[*cleanup.steps, evicted], cluster=cluster)
        self.register_outputs({"cleanedAt": self.cleaned_at})
