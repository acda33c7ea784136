"""The program's own story with a Command in place of each CNI: the order is the engine's, which is what is tested."""

from types import SimpleNamespace

import pulumi
from pulumi_command import local

import components.migration
import components.rolling
import settings as stack_settings
from components.cni import digest
from components.gate import gated
from components.interruption import report_interruption
from components.kind_cluster import KindCluster, KindClusterArgs
from components.migration import Migration, MigrationArgs
from components.observation import observe
from components.plan import claim_for
from components.rolling import move_nodes
from components.verification import Verification, VerificationArgs

settings = stack_settings.load()
observed = observe(settings.cluster.name)
claim = claim_for(settings, observed)
cluster = KindCluster("cluster", KindClusterArgs.of(settings.cluster, observed, claim))
# There is no API here to keep objects in, so those that the components make of their own are left out.
components.migration.probe_namespace = lambda name, opts: cluster.resource
components.migration.TrafficProbe = lambda name, args, opts: SimpleNamespace(ready=[])
components.rolling.coredns_budget = lambda name, opts: cluster.resource
migration = Migration("migration", MigrationArgs.of(settings, cluster, claim, observed))


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
moved = move_nodes(settings, cluster, claim, after=[cni.agent])
verification = Verification(
    "verification",
    VerificationArgs(
        cluster=settings.cluster.name,
        cluster_resource=cluster.resource,
        claim=claim,
        digest=digest(settings),
        stranded_before=migration.stranded_before,
        after=[cni.agent, *moved],
    ),
)
interruption = report_interruption(settings, cluster, claim, after=[verification.settled])
pulumi.export("verification", verification.result)
pulumi.export("interruption", interruption)
