"""The story: settings, the cluster, the migration, the CNI, the verification. No logic."""

from datetime import UTC, datetime

import pulumi

import settings as stack_settings
from components.cni import create_cni, digest
from components.kind_cluster import KindCluster, KindClusterArgs
from components.migration import Migration, MigrationArgs
from components.observation import observe
from components.ownership import describe, plan_claim
from components.probes import Probes, ProbesArgs
from components.verification import Verification, VerificationArgs

settings = stack_settings.load()
observed = observe(settings.cluster.name)
marker = observed.marker if observed else None
claim = plan_claim(marker, pulumi.get_stack(), settings.cni, datetime.now(UTC))
pulumi.log.info(describe(marker, claim, settings.cluster.name, exists=observed is not None))

cluster = KindCluster("cluster", KindClusterArgs.of(settings.cluster, observed, claim))
migration = Migration("migration", MigrationArgs.of(settings, cluster, claim))
cni = create_cni(settings, migration.gate, cluster.provider)
probes = Probes(
    "probes",
    ProbesArgs(image=settings.images.probe, gate=migration.gate, provider=cluster.provider),
)
verification = Verification(
    "verification",
    VerificationArgs(
        cluster=settings.cluster.name,
        cluster_resource=cluster.resource,
        claim=claim,
        digest=digest(settings),
        cleaned_at=migration.cleaned_at,
        after=[*cni.ready, *probes.ready],
    ),
)

pulumi.export("cluster", settings.cluster.name)
pulumi.export("cni", settings.cni)
pulumi.export("epoch", claim.epoch)
pulumi.export("nodes", cluster.node_names)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("verification", verification.result)
