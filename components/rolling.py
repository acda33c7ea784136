"""The strategy `rolling`: the new CNI beside the old, then one node after the other, then the old one away.

A node runs one CNI, chosen by its label, so no two hand out addresses of one podCIDR. Before any node moves, every node
gets direct routes to every other podCIDR, ahead of the old CNI's: a node can then change hands without the others
noticing. Each node's move is a resource of its own: preview lists them in order, and an `up` that was cut off goes on
with the first node that has not moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.kind_cluster import KindCluster
from components.ownership import Claim
from components.residue import render, residue
from components.shell import script_command
from components.workload import FORCE
from settings import Settings


def prepare(
    name: str,
    *,
    environment: Mapping[str, pulumi.Input[str]],
    claim: Claim,
    boots: Sequence[str],
    provider: kubernetes.Provider,
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """What comes before the new CNI: the direct routes, and a budget that lets a drain take one CoreDNS at a time."""
    routes = script_command(
        f"{name}-routes",
        "direct-routes",
        environment=environment,
        # A node that was started again has lost its rule and its routes: while the migration is under way that is a
        # change, which preview shows. Once it is done the routes are not needed, and a start must not be a change.
        triggers=[*claim.triggers, *boots],
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(ignore_changes=[] if claim.due else ["triggers", "environment"])
        ),
    )
    budget = coredns_budget(
        f"{name}-coredns", pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider))
    )
    return [routes, budget]


def coredns_budget(name: str, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """A PodDisruptionBudget: kind starts all of CoreDNS on one node, and drained at once they would take DNS away."""
    return kubernetes.policy.v1.PodDisruptionBudget(
        name,
        metadata=kubernetes.meta.v1.ObjectMetaArgs(
            name="cni-migration-coredns", namespace="kube-system", annotations=dict(FORCE)
        ),
        spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
            max_unavailable=1, selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"})
        ),
        opts=opts,
    )


@dataclass(frozen=True, kw_only=True)
class NodeMovesArgs:
    """`groups` are nodes that move side by side, a group after the other; `after` is the new CNI."""

    cluster: str
    cluster_resource: pulumi.Resource
    groups: Sequence[Sequence[str]]
    pod_subnet: str
    drain_seconds: int
    claim: Claim
    after: Sequence[pulumi.Resource]


class NodeMoves(pulumi.ComponentResource):
    """Owns nothing that lasts: one Command a node, in a chain, and the last one, which takes away what is left of the
    old CNI when no node is its any more. A node's move that fails leaves the cluster serving, on two CNIs."""

    done: list[pulumi.Resource]

    def __init__(self, name: str, args: NodeMovesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:NodeMoves", name, None, opts)
        claim = args.claim
        base = {
            "CLUSTER": args.cluster,
            "STACK": claim.stack,
            "CNI": claim.cni,
            "EPOCH": str(claim.epoch),
            "POD_SUBNET": args.pod_subnet,
        }

        def after(steps: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
            # deleted_with: a destroy takes the nodes away; there is no way to un-move one by itself.
            return pulumi.ResourceOptions(
                parent=self,
                depends_on=[*args.after, *steps],
                deleted_with=args.cluster_resource,
                # How the next migration is to drain is no change of what the last one did.
                ignore_changes=[] if claim.due else ["environment", "stdin"],
            )

        moved: list[pulumi.Resource] = []
        for group in args.groups:
            # Each group waits for the one before: two drains at once would need the room of two nodes.
            moved = [
                script_command(
                    f"{name}-{node}",
                    "node-move",
                    environment={
                        **base,
                        "NODE": node,
                        "DRAIN_SECONDS": str(args.drain_seconds),
                        "SERVICES_RESIDUE": render(residue(args.pod_subnet, ("kube-proxy",))),
                    },
                    # Not the runtime's: it goes on asking, and each Pod's result went when the Pod did.
                    stdin=render(residue(args.pod_subnet, ("flannel", "cilium"))),
                    triggers=claim.triggers,
                    once=True,
                    opts=after(moved),
                )
                for node in group
            ]
        finished = script_command(
            f"{name}-finish",
            "rolling-finish",
            environment=base,
            triggers=claim.triggers,
            once=True,
            opts=after(moved),
        )
        self.done = [finished]
        self.register_outputs({})


def move_nodes(
    settings: Settings, cluster: KindCluster, claim: Claim, after: Sequence[pulumi.Resource]
) -> list[pulumi.Resource]:
    """What has to have moved before anything is verified: every node in `rolling`, nothing in `recreate`."""
    if claim.strategy != "rolling":
        return []
    moves = NodeMoves(
        "moves",
        NodeMovesArgs(
            cluster=settings.cluster.name,
            cluster_resource=cluster.resource,
            groups=settings.migration.move_groups,
            pod_subnet=settings.cluster.pod_subnet,
            drain_seconds=settings.migration.drain_seconds,
            claim=claim,
            after=after,
        ),
    )
    return moves.done
