"""Traffic: what measures the interruption of a migration: Pods that ask each other, DNS and the API meanwhile."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes import apps, core, meta, policy, rbac

from components.cni.workload import FORCE
from components.measurement.traffic_pods import Program, host_pod, server_pod
from steps.names import MEASUREMENT, TRAFFIC, TRAFFIC_HOST, TRAFFIC_NODE_PORT, TRAFFIC_OUTSIDE, TRAFFIC_PORT

_SERVER, _HOST = TRAFFIC, TRAFFIC_HOST
_REPLICAS = 4
_PROGRAM = Path(__file__).parents[2] / "steps" / "on_probe"
_ANNOTATIONS = {
    # They run before the CNI does, so nothing of theirs can be waited for here; traffic_record.py waits.
    "pulumi.com/skipAwait": "true",
    **FORCE,
}


@dataclass(frozen=True, kw_only=True)
class TrafficProbeArgs:
    """`image` has python3; `hertz` is requests per second and kind of each prober; `namespace` is cni-migration.
    `outside`: the servers have a node port, by which traffic_record.py has them asked from outside of the cluster."""

    image: str
    hertz: float
    outside: bool
    cluster: pulumi.Resource
    provider: kubernetes.Provider
    namespace: pulumi.Resource


class TrafficProbe(pulumi.ComponentResource):
    """Owns, with the other stack together, the probers: a DaemonSet on the host network, a Deployment that serves and
    probes from the Pod network, with its Service (and one with a node port) and its budget, and their program and
    rights.

    They measure through a take-over, so no migration deletes them: they have neither the gate nor the label that
    takeover.py deletes by. They ask nothing until traffic_record.py says so.
    """

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: TrafficProbeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:TrafficProbe", name, None, opts)
        self._name, self._args = name, args
        files = {path.name: path.read_text() for path in sorted(_PROGRAM.glob("traffic*.py"))}
        config = core.v1.ConfigMap(f"{name}-program", metadata=_metadata(_SERVER), data=files, opts=self._opts())
        service = self._service(f"{name}-service", _SERVER)
        outside = [self._service(f"{name}-outside", TRAFFIC_OUTSIDE, TRAFFIC_NODE_PORT)] if args.outside else []
        budget = policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=_metadata(_SERVER),
            spec=policy.v1.PodDisruptionBudgetSpecArgs(
                min_available=_REPLICAS - 1, selector=meta.v1.LabelSelectorArgs(match_labels={"app": _SERVER})
            ),
            opts=self._opts(),
        )
        # The Service comes first: a container finds its address in the environment only if it was there before.
        inside = self._opts(config, service, *self._account())
        program = Program(
            image=args.image,
            hertz=args.hertz,
            config_map=_SERVER,
            account=_SERVER,
            digest=hashlib.sha256(json.dumps(files).encode()).hexdigest(),
        )
        host = apps.v1.DaemonSet(
            f"{name}-host",
            metadata=_metadata(_HOST),
            spec=apps.v1.DaemonSetSpecArgs(
                selector=meta.v1.LabelSelectorArgs(match_labels={"app": _HOST}),
                template=host_pod(_HOST, program),
            ),
            opts=inside,
        )
        server = apps.v1.Deployment(
            f"{name}-server",
            metadata=_metadata(_SERVER),
            spec=apps.v1.DeploymentSpecArgs(
                replicas=_REPLICAS,
                selector=meta.v1.LabelSelectorArgs(match_labels={"app": _SERVER}),
                template=server_pod(_SERVER, program),
            ),
            opts=inside,
        )
        self.ready = [host, server, service, *outside, budget]
        self.register_outputs({})

    def _opts(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            provider=self._args.provider,
            depends_on=[self._args.namespace, *after],
            # A destroy takes the cluster away, and one by one each would wait for its Pods.
            deleted_with=self._args.cluster,
        )

    def _service(self, resource: str, name: str, node_port: int | None = None) -> core.v1.Service:
        return core.v1.Service(
            resource,
            metadata=_metadata(name),
            spec=core.v1.ServiceSpecArgs(
                type="NodePort" if node_port else None,
                selector={"app": _SERVER},
                ports=[core.v1.ServicePortArgs(port=TRAFFIC_PORT, target_port=TRAFFIC_PORT, node_port=node_port)],
            ),
            opts=self._opts(),
        )

    def _account(self) -> list[pulumi.Resource]:
        """The probers find the Pods behind their Service in its EndpointSlices."""
        account = core.v1.ServiceAccount(f"{self._name}-account", metadata=_metadata(_SERVER), opts=self._opts())
        role = rbac.v1.Role(
            f"{self._name}-role",
            metadata=_metadata(_SERVER),
            rules=[
                rbac.v1.PolicyRuleArgs(
                    api_groups=["discovery.k8s.io"], resources=["endpointslices"], verbs=["get", "list"]
                )
            ],
            opts=self._opts(),
        )
        binding = rbac.v1.RoleBinding(
            f"{self._name}-binding",
            metadata=_metadata(_SERVER),
            role_ref=rbac.v1.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=_SERVER),
            subjects=[rbac.v1.SubjectArgs(kind="ServiceAccount", name=_SERVER, namespace=MEASUREMENT)],
            opts=self._opts(account, role),
        )
        return [account, binding]


def _metadata(name: str) -> meta.v1.ObjectMetaArgs:
    return meta.v1.ObjectMetaArgs(
        name=name, namespace=MEASUREMENT, labels={"app": name}, annotations=dict(_ANNOTATIONS)
    )
