"""The story: settings, the cluster, the migration, the CNI, the verification. No logic."""

import pulumi

import settings as stack_settings
from components.cni import create_cni, digest
from components.interruption import report_interruption
from components.kind_cluster import KindCluster, KindClusterArgs
from components.migration import Migration, MigrationArgs
from components.observation import observe
from components.plan import claim_for
from components.probes import Probes, ProbesArgs
from components.rolling import move_nodes
from components.verification import Verification, VerificationArgs

settings = stack_settings.load()
observed = observe(settings.cluster.name)
claim = claim_for(settings, observed)

cluster = KindCluster("cluster", KindClusterArgs.of(settings.cluster, observed, claim))
migration = Migration("migration", MigrationArgs.of(settings, cluster, claim, observed))
cni = create_cni(settings, migration.gate, cluster.provider)
moved = move_nodes(settings, cluster, claim, after=cni.ready)
probes = Probes(
    "probes",
    ProbesArgs(
        image=settings.images.probe, namespace=migration.namespace, gate=migration.gate, provider=cluster.provider
    ),
)
verification = Verification(
    "verification",
    VerificationArgs(
        cluster=settings.cluster.name,
        cluster_resource=cluster.resource,
        claim=claim,
        digest=digest(settings),
        stranded_before=migration.stranded_before,
        after=[*cni.ready, *moved, *probes.ready],
    ),
)
interruption = report_interruption(settings, cluster, claim, after=[verification.settled])

pulumi.export("cluster", settings.cluster.name)
pulumi.export("cni", settings.cni)
pulumi.export("epoch", claim.epoch)
pulumi.export("nodes", cluster.node_names)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("verification", verification.result)
pulumi.export("interruption", interruption)
