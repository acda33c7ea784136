"""Verification: what is really on the wire, measured at the end of an `up`, and its verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_command import local

from components.step import Steps
from steps.names import PROBE_PORT


@dataclass(frozen=True, kw_only=True)
class VerificationArgs:
    """`digest` is of everything that shapes the CNI: the network is measured again whenever it changes.
    `stranded_before` is the time before which Pods have lost their network. `boots` are the times when the nodes were
    started last."""

    steps: Steps
    digest: pulumi.Input[str]
    stranded_before: pulumi.Output[str]
    boots: Sequence[str]
    after: Sequence[pulumi.Resource]


class Verification(pulumi.ComponentResource):
    """Owns nothing that lasts: it makes again what users had of Cilium's kinds, replaces the last stranded Pods,
    measures, and marks the migration as finished, or as paused.

    The judgement is made in the Command, so that a verdict that fails the `up` is measured anew by the next one; a
    judgement in the program would find the old measurement in the state for ever. `result` is an object: ok, cni,
    encapsulation, icmpWireBytes (IP total length of a ping of 56 bytes), overheadBytes, routing, masquerading,
    kubeProxyReplacement, services, dns, pairs. `paused` says where the migration stands, None where it ends.
    """

    result: pulumi.Output[dict[str, Any]]
    settled: local.Command
    paused: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: VerificationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Verification", name, None, opts)
        steps, stage = args.steps, args.steps.stage
        # A node that is started again while the migration is paused gets its routes anew, which takes the hold; then
        # the pause is measured again, and the hold released.
        again = stage.again + (list(args.boots) if stage.pending else [])
        # Before anything is measured: policies among them are part of the network that is promised.
        restored = steps.step(f"{name}-objects", "kept_objects", opts=steps.options(self, args.after))
        replaced = steps.step(
            f"{name}-pods",
            "pods_replace",
            environment={"CUTOFF": args.stranded_before},
            mark="replace",
            also=stage.again,
            opts=steps.options(self, [restored, *args.after]),
        )
        measured = steps.step(
            f"{name}-measure",
            "verify",
            environment={"SERVICE_PORT": str(PROBE_PORT), "PENDING": " ".join(stage.pending)},
            also=[args.digest, *again],
            once=False,
            opts=steps.options(self, [replaced, *args.after]),
        )
        if stage.pending:
            paused = steps.step(
                f"{name}-pause",
                "pause",
                environment={
                    "MOVED": " ".join(stage.moved),
                    "PENDING": " ".join(stage.pending),
                    "LEG": str(stage.leg),
                },
                also=again,
                opts=steps.options(self, [measured]),
            )
            self.settled, self.paused = paused, paused.stdout
        else:
            self.settled = steps.step(f"{name}-settle", "settle", opts=steps.options(self, [measured]))
        # Nothing of the values is in a measurement. With a secret among its inputs it would count as one, and the user
        # would read [secret] for the verdict.
        self.result = pulumi.Output.unsecret(measured.stdout).apply(json.loads)
        self.register_outputs({"result": self.result})
