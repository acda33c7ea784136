"""Verification: what is really on the wire, measured at the end of an `up`, and its verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.ownership import Claim
from components.probes import PORT
from components.shell import script_command


@dataclass(frozen=True, kw_only=True)
class VerificationArgs:
    """`digest` is of everything that shapes the CNI: the network is measured again whenever it changes.
    `stranded_before` is the time before which Pods have lost their network."""

    cluster: str
    cluster_resource: pulumi.Resource
    claim: Claim
    digest: str
    stranded_before: pulumi.Output[str]
    after: Sequence[pulumi.Resource]


class Verification(pulumi.ComponentResource):
    """Owns nothing that lasts: it replaces the last stranded Pods, measures, and marks the migration as finished.

    The judgement is made in the Command, so that a verdict that fails the `up` is measured anew by the next one; a
    judgement in the program would find the old measurement in the state for ever. `result` is an object: ok, cni,
    encapsulation, icmpWireBytes (IP total length of a ping of 56 bytes), overheadBytes, routing, masquerading,
    kubeProxyReplacement, services, dns, pairs.
    """

    result: pulumi.Output[dict[str, Any]]
    settled: pulumi.Resource

    def __init__(self, name: str, args: VerificationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Verification", name, None, opts)
        claim, triggers = args.claim, args.claim.triggers
        base = {"CLUSTER": args.cluster, "STACK": claim.stack, "EPOCH": str(claim.epoch)}

        def after(*steps: pulumi.Resource) -> pulumi.ResourceOptions:
            # deleted_with: a measurement has nothing to undo, and a destroy takes the cluster away.
            return pulumi.ResourceOptions(parent=self, depends_on=list(steps), deleted_with=args.cluster_resource)

        replaced = script_command(
            f"{name}-pods",
            "pods-replace",
            environment={**base, "CUTOFF": args.stranded_before},
            triggers=triggers,
            once=True,
            opts=after(*args.after),
        )
        measured = script_command(
            f"{name}-measure",
            "verify",
            environment={"CLUSTER": args.cluster, "CNI": claim.cni, "SERVICE_PORT": str(PORT)},
            triggers=[*triggers, args.digest],
            opts=after(replaced, *args.after),
        )
        self.settled = script_command(
            f"{name}-settle",
            "settle",
            environment=base,
            triggers=triggers,
            once=True,
            opts=after(measured),
        )
        self.result = measured.stdout.apply(json.loads)
        self.register_outputs({"result": self.result})
