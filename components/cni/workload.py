"""What the DaemonSets of this project have in common. Functions only; each resource belongs to its caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes import apps, core, meta

from steps.names import PART_OF

# The stacks own the same objects in turns, and the one that has claimed the cluster has the say: without it the API
# refuses to change what the other stack's provider has written (a conflict of field managers).
FORCE = {"pulumi.com/patchForce": "true"}


def host_env() -> core.v1.EnvVarArgs:
    """The node's name as NODE_NAME. A function: as a constant it would load the SDK's largest module in every program
    that imports this one, for a second."""
    field = core.v1.ObjectFieldSelectorArgs(field_path="spec.nodeName")
    return core.v1.EnvVarArgs(name="NODE_NAME", value_from=core.v1.EnvVarSourceArgs(field_ref=field))


def labels() -> dict[str, str]:
    """Labels of every object of this project."""
    return dict(PART_OF)


def metadata(name: str, namespace: str | None = None) -> meta.v1.ObjectMetaArgs:
    """A fixed name (no random suffix: takeover.py and users look for it), the project's label, and FORCE."""
    return meta.v1.ObjectMetaArgs(name=name, namespace=namespace, labels=labels(), annotations=dict(FORCE))


def volumes(
    host_paths: Mapping[str, tuple[str, str]], config_maps: Mapping[str, str] | None = None
) -> list[core.v1.VolumeArgs]:
    """Volumes of host paths (name to path and type) and of ConfigMaps (name to ConfigMap)."""
    hosts = [
        core.v1.VolumeArgs(name=name, host_path=core.v1.HostPathVolumeSourceArgs(path=path, type=kind))
        for name, (path, kind) in host_paths.items()
    ]
    maps = [
        core.v1.VolumeArgs(name=name, config_map=core.v1.ConfigMapVolumeSourceArgs(name=config_map))
        for name, config_map in (config_maps or {}).items()
    ]
    return hosts + maps


def agent(
    resource_name: str,
    *,
    name: str,
    namespace: pulumi.Input[str],
    account: str,
    labels: Mapping[str, str],
    nodes: Mapping[str, str],
    containers: Sequence[core.v1.ContainerArgs],
    init_containers: Sequence[core.v1.ContainerArgs],
    volumes: Sequence[core.v1.VolumeArgs],
    opts: pulumi.ResourceOptions,
) -> kubernetes.apps.v1.DaemonSet:
    """A DaemonSet of host-network agents on the nodes with the labels `nodes`: it tolerates every taint, since a node
    without a CNI is tainted not-ready until one of these has run."""
    return apps.v1.DaemonSet(
        resource_name,
        metadata=meta.v1.ObjectMetaArgs(name=name, namespace=namespace, labels=dict(labels), annotations=dict(FORCE)),
        spec=apps.v1.DaemonSetSpecArgs(
            selector=meta.v1.LabelSelectorArgs(match_labels=dict(labels)),
            template=core.v1.PodTemplateSpecArgs(
                metadata=meta.v1.ObjectMetaArgs(labels=dict(labels)),
                spec=core.v1.PodSpecArgs(
                    host_network=True,
                    priority_class_name="system-node-critical",
                    service_account_name=account,
                    node_selector={"kubernetes.io/os": "linux", **nodes},
                    tolerations=[core.v1.TolerationArgs(operator="Exists")],
                    containers=list(containers),
                    init_containers=list(init_containers),
                    volumes=list(volumes),
                ),
            ),
        ),
        opts=opts,
    )
