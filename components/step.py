"""The one way this program makes a step of a migration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_command import local

from components.cluster.kind_cluster import KindCluster
from components.command import command
from plan.ownership import Claim
from plan.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Makes the steps of one claim on one cluster: what all of them share is said here. `stage` is how far this `up`
    goes."""

    cluster: KindCluster
    claim: Claim
    stage: Stage

    def options(
        self, parent: pulumi.Resource, after: Sequence[pulumi.Resource], *, keep: Sequence[str] = ()
    ) -> pulumi.ResourceOptions:
        """Options of a step. `keep` names inputs by which the next migration is to go: while nothing is due, a change
        of one is no change of what the last migration did."""
        return pulumi.ResourceOptions(
            parent=parent,
            depends_on=list(after),
            # A destroy takes the cluster away: a step has nothing to undo on its own, and could only fail halfway.
            deleted_with=self.cluster.resource,
            # Without it a setting for the next migration would show as a change, and preview would never be clean.
            ignore_changes=[] if self.claim.due else list(keep),
        )

    def step(
        self,
        name: str,
        verb: str,
        *,
        opts: pulumi.ResourceOptions,
        environment: Mapping[str, pulumi.Input[str]] | None = None,
        stdin: pulumi.Input[str] | None = None,
        mark: str = "",
        also: Sequence[pulumi.Input[str]] = (),
        once: bool = True,
    ) -> local.Command:
        """A step of the migration: it runs once for the claim, or anew when one of `also` changes. `mark` is its own
        name in the recording, empty for what interrupts nothing."""
        claim = self.claim
        return command(
            name,
            verb,
            environment={
                "CLUSTER": self.cluster.name,
                "CONTROL_PLANE": self.cluster.control_plane,
                "STACK": claim.stack,
                "CNI": claim.cni,
                "EPOCH": str(claim.epoch),
                "MARK": mark,
                **(environment or {}),
            },
            stdin=stdin,
            # The claim's triggers make each step run again in the next migration, and in no other `up`.
            triggers=[*claim.triggers, *also],
            once=once,
            opts=opts,
        )
