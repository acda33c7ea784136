"""How the components are put together: once, for the program and for the tests of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import pulumi

from components.cluster.kind_cluster import KindCluster, KindClusterArgs
from components.cni.choice import digest, requirements
from components.gate import Gate
from components.measurement.interruption import report_interruption
from components.measurement.probes import ProbesArgs
from components.measurement.verification import Verification, VerificationArgs
from components.migration.migration import Migration, MigrationArgs
from components.migration.ways import way_of
from components.parts import Parts
from components.step import Steps
from components.unfinished import delete_nothing_unless_done
from plan.hubble import host_port, reached
from plan.observation import Observed
from plan.ownership import Claim
from plan.stage import stage_of
from settings import Cni, Settings

__all__ = ["Built", "Parts", "build"]


@dataclass(frozen=True, kw_only=True)
class Built:
    """What the stack's outputs are made of."""

    cluster: KindCluster
    claim: Claim
    verification: Verification
    interruption: pulumi.Output[dict[str, Any]]
    hubble: pulumi.Input[dict[str, str]]


def build(settings: Settings, observed: Observed | None, claim: Claim, parts: Parts | None = None) -> Built:
    """The cluster, the migration, the CNI, the nodes' moves, the verification and the report, in this order."""
    parts = parts or Parts()
    need = requirements(settings)
    hubble = host_port(settings, observed)
    cluster = KindCluster("cluster", KindClusterArgs.of(settings.cluster, observed, claim, hubble))
    steps = Steps(cluster=cluster, claim=claim, stage=stage_of(claim, settings.migration))
    boots = [node.started for node in observed.nodes] if observed else []
    migration = Migration(
        "migration",
        MigrationArgs(
            settings=settings,
            steps=steps,
            boots=boots,
            requirements=need,
            parts=parts,
        ),
    )
    cni = parts.cni(settings, need, migration.gate, cluster.provider)
    _keep_old_cni(settings, steps, migration.gate, parts)
    moved = way_of(claim.strategy).move(steps, settings, cni.ready)
    probes = parts.probes(
        "probes",
        ProbesArgs(
            image=settings.images.probe,
            namespace=migration.namespace,
            gate=migration.gate,
            provider=cluster.provider,
        ),
    )
    verification = Verification(
        "verification",
        VerificationArgs(
            steps=steps,
            digest=digest(settings, need),
            stranded_before=migration.stranded_before,
            boots=boots,
            after=[*cni.ready, *moved, *probes.ready],
        ),
    )
    interruption = report_interruption(settings, steps, after=[verification.settled])
    delete_nothing_unless_done(verification.settled.stdout, interruption)
    return Built(
        cluster=cluster,
        claim=claim,
        verification=verification,
        interruption=interruption,
        hubble=reached(settings, hubble, need.values),
    )


def _keep_old_cni(settings: Settings, steps: Steps, gate: Gate, parts: Parts) -> None:
    """The CNI that this stack had before, while a migration inside the stack is paused. The engine deletes what the
    program names no more, and the nodes that have not moved would lose their network. Where another stack made it, it
    is in that one's state, and nobody deletes it."""
    before = steps.claim.previous
    if steps.stage.pending and before is not None and before.stack == steps.claim.stack:
        old = replace(settings, cni=cast("Cni", before.cni))
        parts.cni(old, requirements(old), gate, steps.cluster.provider)
