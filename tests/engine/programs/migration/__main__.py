"""The program's own wiring with a Command in place of each CNI: the order is the engine's, which is what is tested.

There is no API here to keep objects in, so nothing stands for those that the components make of their own.
"""

import pulumi
import pulumi_kubernetes as kubernetes

import settings as stack_settings
from components.cni.choice import Requirements
from components.command import command
from components.gate import Gate, gated
from components.wiring import Parts, build
from plan.claim import claim_for
from plan.observation import observe
from settings import Settings


class Nothing(pulumi.ComponentResource):
    """Stands for a part of the cluster, and is ready at once."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        parent = pulumi.ResourceOptions(parent=opts.parent if opts else None)
        super().__init__("test:index:Nothing", name, None, parent)
        self.ready: list[pulumi.Resource] = []
        self.register_outputs({})


class FakeCni(pulumi.ComponentResource):
    """A CNI with one object, which follows the gate as the real ones' do."""

    def __init__(self, name: str, gate: Gate, provider: kubernetes.Provider) -> None:
        super().__init__("test:index:FakeCni", name)
        options = gated(self, gate, provider)
        options.provider = None  # a Command is none of the cluster's objects
        agent = command(f"{name}-agent", "cni_create", delete="cni_delete", environment={"CNI": name}, opts=options)
        self.ready: list[pulumi.Resource] = [agent]
        self.register_outputs({})


def fake_cni(settings: Settings, need: Requirements, gate: Gate, provider: kubernetes.Provider) -> FakeCni:
    return FakeCni(settings.cni, gate, provider)


settings = stack_settings.load()
observed = observe(settings.cluster.name)
claim = claim_for(settings, observed)
parts = Parts(
    cni=fake_cni,
    probe_namespace=Nothing,
    probes=lambda name, args: Nothing(name),
    traffic=lambda name, args, opts: Nothing(name, opts),
)
built = build(settings, observed, claim, parts)
pulumi.export("paused", built.verification.paused)
pulumi.export("verification", built.verification.result)
pulumi.export("interruption", built.interruption)
