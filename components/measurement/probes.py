"""Probes: what the verification measures with: two Pods a node, one of them on the host network, and a Service."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cni.workload import FORCE, host_env, labels, metadata
from components.gate import Gate, gated
from steps.names import MEASUREMENT, PROBE, PROBE_HOST, PROBE_PORT

# Answers each connection with the Pod's name.
_SERVER = f"exec socat TCP-LISTEN:{PROBE_PORT},fork,reuseaddr SYSTEM:hostname"
_IDLE = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"


@dataclass(frozen=True, kw_only=True)
class ProbesArgs:
    """`image` has bash, ping, dig, tcpdump and socat."""

    image: str
    namespace: pulumi.Resource
    gate: Gate
    provider: kubernetes.Provider


def probe_namespace(name: str, opts: pulumi.ResourceOptions) -> kubernetes.core.v1.Namespace:
    """The namespace of everything that measures. No migration deletes it: to wait for its end would cost 5 s."""
    return kubernetes.core.v1.Namespace(
        name,
        metadata=kubernetes.meta.v1.ObjectMetaArgs(
            name=MEASUREMENT,
            labels={"pod-security.kubernetes.io/enforce": "privileged"},
            annotations=dict(FORCE),
        ),
        opts=opts,
    )


class Probes(pulumi.ComponentResource):
    """Owns the two DaemonSets and the Service in the namespace cni-migration.

    The DaemonSets live as long as a CNI: where the gate opens they go with the old one and are made again beside the
    new one (not after it: their Pods wait for it anyway); where it stays shut they stay.
    """

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: ProbesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Probes", name, None, opts)
        child_opts = gated(self, args.gate, args.provider)
        core = kubernetes.core.v1
        inside = pulumi.ResourceOptions.merge(child_opts, pulumi.ResourceOptions(depends_on=[args.namespace]))
        pod = self._daemon_set(f"{name}-pod", PROBE, args.image, _SERVER, host=False, opts=inside)
        host = self._daemon_set(f"{name}-host", PROBE_HOST, args.image, _IDLE, host=True, opts=inside)
        service = core.Service(
            f"{name}-service",
            metadata=metadata(PROBE, MEASUREMENT),
            spec=core.ServiceSpecArgs(
                selector={"app": PROBE}, ports=[core.ServicePortArgs(port=PROBE_PORT, target_port=PROBE_PORT)]
            ),
            opts=inside,
        )
        self.ready = [pod, host, service]
        self.register_outputs({})

    @staticmethod
    def _daemon_set(
        resource_name: str, app: str, image: str, command: str, *, host: bool, opts: pulumi.ResourceOptions
    ) -> kubernetes.apps.v1.DaemonSet:
        core, meta = kubernetes.core.v1, kubernetes.meta.v1
        container = core.ContainerArgs(
            name=app,
            image=image,
            image_pull_policy="IfNotPresent",
            command=["bash", "-c", command],
            env=[host_env()],
            security_context=core.SecurityContextArgs(
                capabilities=core.CapabilitiesArgs(add=["NET_RAW", "NET_ADMIN"] if host else ["NET_RAW"])
            ),
            readiness_probe=None
            if host
            else core.ProbeArgs(tcp_socket=core.TCPSocketActionArgs(port=PROBE_PORT), period_seconds=1),
        )
        return kubernetes.apps.v1.DaemonSet(
            resource_name,
            metadata=metadata(app, MEASUREMENT),
            spec=kubernetes.apps.v1.DaemonSetSpecArgs(
                selector=meta.LabelSelectorArgs(match_labels={"app": app}),
                template=core.PodTemplateSpecArgs(
                    metadata=meta.ObjectMetaArgs(labels={**labels(), "app": app}),
                    spec=core.PodSpecArgs(
                        host_network=host,
                        termination_grace_period_seconds=1,
                        tolerations=[core.TolerationArgs(operator="Exists")],
                        containers=[container],
                    ),
                ),
            ),
            opts=opts,
        )
