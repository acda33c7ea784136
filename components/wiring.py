"""How the components are put together: once, for the program and for the tests of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from components.cluster.kind_cluster import KindCluster, KindClusterArgs
from components.cni.choice import digest, requirements
from components.measurement.interruption import report_interruption
from components.measurement.probes import ProbesArgs
from components.measurement.verification import Verification, VerificationArgs
from components.migration.migration import Migration, MigrationArgs
from components.migration.ways import way_of
from components.parts import Parts
from components.step import Steps
from plan.hubble import host_port, reached
from plan.observation import Observed
from plan.ownership import Claim
from settings import Settings

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
    steps = Steps(cluster=cluster, claim=claim)
    migration = Migration(
        "migration",
        MigrationArgs(
            settings=settings,
            steps=steps,
            boots=[node.started for node in observed.nodes] if observed else [],
            requirements=need,
            parts=parts,
        ),
    )
    cni = parts.cni(settings, need, migration.gate, cluster.provider)
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
            after=[*cni.ready, *moved, *probes.ready],
        ),
    )
    interruption = report_interruption(settings, steps, after=[verification.settled])
    return Built(
        cluster=cluster,
        claim=claim,
        verification=verification,
        interruption=interruption,
        hubble=reached(settings, hubble, need.values),
    )
