"""The Pods of the probers. Functions only; each resource belongs to its caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi_kubernetes import core, meta

from components.cni.workload import volumes
from settings.kind import API_PORT
from steps.names import TRAFFIC_FOLDER, TRAFFIC_PORT

_COMMAND = ["python3", "/etc/traffic/traffic.py"]


@dataclass(frozen=True, kw_only=True)
class Program:
    """What both kinds of Pod run: an image with python3, a rate in requests per second and kind, the names of the
    ConfigMap with the program and of the ServiceAccount, and the program's digest."""

    image: str
    hertz: float
    config_map: str
    account: str
    digest: str


def host_pod(app: str, program: Program) -> core.v1.PodTemplateSpecArgs:
    """A prober on the host network of every node, whatever its taints."""
    return _template(
        app,
        program,
        core.v1.PodSpecArgs(
            host_network=True,
            dns_policy="ClusterFirstWithHostNet",
            tolerations=[core.v1.TolerationArgs(operator="Exists")],
            containers=[
                _container(
                    app,
                    program,
                    _COMMAND,
                    cpu="100m",
                    # Where its own node's API server is, if there is one.
                    more=[
                        _of_pod("HOST_IP", "status.hostIP"),
                        core.v1.EnvVarArgs(name="API_PORT", value=str(API_PORT)),
                    ],
                )
            ],
        ),
    )


def server_pod(app: str, program: Program) -> core.v1.PodTemplateSpecArgs:
    """A prober on the Pod network that others ask, spread over the nodes. It may be scheduled to a node that is not
    ready yet: in a new cluster all of them would be on whichever node is ready first."""
    ready = core.v1.ProbeArgs(tcp_socket=core.v1.TCPSocketActionArgs(port=TRAFFIC_PORT), period_seconds=1)
    return _template(
        app,
        program,
        core.v1.PodSpecArgs(
            # The program itself goes on for 5 s, until the node proxies have taken it out of the Service.
            termination_grace_period_seconds=10,
            tolerations=[
                core.v1.TolerationArgs(key="node-role.kubernetes.io/control-plane", operator="Exists"),
                core.v1.TolerationArgs(key="node.kubernetes.io/not-ready", operator="Exists", effect="NoSchedule"),
            ],
            topology_spread_constraints=[
                core.v1.TopologySpreadConstraintArgs(
                    max_skew=1,
                    topology_key="kubernetes.io/hostname",
                    when_unsatisfiable="ScheduleAnyway",
                    label_selector=meta.v1.LabelSelectorArgs(match_labels={"app": app}),
                )
            ],
            containers=[_container(app, program, [*_COMMAND, "serve"], cpu="100m", ready=ready)],
        ),
    )


def _template(app: str, program: Program, spec: core.v1.PodSpecArgs) -> core.v1.PodTemplateSpecArgs:
    spec.service_account_name = program.account
    spec.volumes = volumes({"record": (TRAFFIC_FOLDER, "DirectoryOrCreate")}, {"program": program.config_map})
    return core.v1.PodTemplateSpecArgs(
        # The digest makes a changed program start again.
        metadata=meta.v1.ObjectMetaArgs(labels={"app": app}, annotations={"cni-migration/program": program.digest}),
        spec=spec,
    )


def _of_pod(name: str, path: str) -> core.v1.EnvVarArgs:
    """A variable with a field of the Pod."""
    field = core.v1.ObjectFieldSelectorArgs(field_path=path)
    return core.v1.EnvVarArgs(name=name, value_from=core.v1.EnvVarSourceArgs(field_ref=field))


def _container(
    app: str,
    program: Program,
    command: list[str],
    *,
    cpu: str,
    ready: core.v1.ProbeArgs | None = None,
    more: Sequence[core.v1.EnvVarArgs] = (),
) -> core.v1.ContainerArgs:
    return core.v1.ContainerArgs(
        name=app,
        image=program.image,
        image_pull_policy="IfNotPresent",
        command=command,
        env=[
            _of_pod("POD_NAME", "metadata.name"),
            _of_pod("NODE_NAME", "spec.nodeName"),
            core.v1.EnvVarArgs(name="HERTZ", value=f"{program.hertz:g}"),
            *more,
        ],
        # Without a share of the CPU they starve while agents start (323 of 7,094 requests failed), and that would be
        # taken for the network.
        resources=core.v1.ResourceRequirementsArgs(requests={"cpu": cpu, "memory": "32Mi"}),
        readiness_probe=ready,
        volume_mounts=[
            core.v1.VolumeMountArgs(name="program", mount_path="/etc/traffic", read_only=True),
            core.v1.VolumeMountArgs(name="record", mount_path=TRAFFIC_FOLDER),
        ],
    )
