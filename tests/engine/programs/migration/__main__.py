"""The program's own story with a Command in place of each CNI: the order is the engine's, which is what is tested."""

from datetime import UTC, datetime

import pulumi
from pulumi_command import local

import settings as stack_settings
from components.cni import digest
from components.gate import gated
from components.kind_cluster import KindCluster, KindClusterArgs
from components.migration import Migration, MigrationArgs
from components.observation import observe
from components.ownership import describe, plan_claim
from components.verification import Verification, VerificationArgs

settings = stack_settings.load()
observed = observe(settings.cluster.name)
marker = observed.marker if observed else None
claim = plan_claim(marker, pulumi.get_stack(), settings.cni, datetime.now(UTC))
pulumi.log.info(describe(marker, claim, settings.cluster.name, exists=observed is not None))
cluster = KindCluster("cluster", KindClusterArgs.of(settings.cluster, observed, claim))
migration = Migration("migration", MigrationArgs.of(settings, cluster, claim))


class FakeCni(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:FakeCni", name)
        options = pulumi.ResourceOptions.merge(
            gated(self, migration.gate, cluster.provider), pulumi.ResourceOptions(provider=None)
        )
        options.provider = None
        self.agent = local.Command(
            f"{name}-agent",
            create=f"CNI={name} components/scripts/cni-create.sh",
            delete=f"CNI={name} components/scripts/cni-delete.sh",
            opts=options,
        )
        self.register_outputs({})


cni = FakeCni(settings.cni)
verification = Verification(
    "verification",
    VerificationArgs(
        cluster=settings.cluster.name,
        cluster_resource=cluster.resource,
        claim=claim,
        digest=digest(settings),
        cleaned_at=migration.cleaned_at,
        after=[cni.agent],
    ),
)
pulumi.export("verification", verification.result)
