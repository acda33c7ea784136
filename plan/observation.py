"""What is there before anything is planned: the cluster's nodes, its subnets and its marker.

Read with `docker` alone (three calls, the last runs kubectl inside the control plane), so that a preview needs no
kubeconfig. Nothing here changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import yaml

from plan.ownership import MARKER_NAME, Marker, UnknownStrategyError, marker_from
from settings.hubble import NODE_PORT, HostPort
from steps.doors import process
from steps.doors.docker import KIND_LABEL, host_ports

# steps/cluster_up.py writes this file before it calls kind and removes it when the cluster answers.
BREADCRUMBS = Path(".state")

Run = Callable[[Sequence[str]], str]


class ObservationError(pulumi.RunError):
    """The cluster or the container engine cannot be looked at; says what to do."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node container: its name, `control-plane` or `worker`, the image it was made from, its state in docker's words
    (`running`, `paused`, `exited` …), and when it was started last (rules and routes of a node do not survive that).
    `hubble` is the port of this machine that leads to Hubble's NodePort by it, where there is one."""

    name: str
    role: str
    image: str
    state: str
    started: str
    hubble: HostPort | None = None


@dataclass(frozen=True, kw_only=True)
class Observed:
    """A Kind cluster that answers. `marker` is None where nobody has claimed it."""

    nodes: tuple[Node, ...]
    pod_subnet: str
    service_subnet: str
    marker: Marker | None

    @property
    def hubble(self) -> HostPort | None:
        """The port of this machine that the cluster was made with for Hubble; None for one made without."""
        return next((node.hubble for node in self.nodes if node.hubble), None)


def run(command: Sequence[str]) -> str:
    """stdout of `command`; ObservationError with its stderr where it fails."""
    try:
        return process.run(command, timeout=30)
    except process.ToolError as error:
        raise ObservationError(str(error)) from error


def observe(cluster: str, runner: Run = run) -> Observed | None:
    """The cluster named `cluster`, or None where there is none (or only the wreck of a creation that was killed)."""
    containers = runner(_list_nodes(cluster)).split()
    if not containers:
        return None
    nodes = nodes_from(runner(_describe_nodes(containers)))
    still = [node for node in nodes if node.state != "running"]
    if still:
        names = ", ".join(node.name for node in still)
        raise ObservationError(
            f"cluster {cluster}: {names} not running; start with {_ways_to_start(still)}, "
            "then run the same command again"
        )
    try:
        observed = observed_from(nodes, json.loads(runner(_read_config_maps(_control_plane(cluster, nodes)))))
    except ObservationError:
        observed = None
        if not _creation_was_cut_off(cluster):
            raise
    if _creation_was_cut_off(cluster) and (observed is None or observed.marker is None):
        pulumi.log.warn(
            f"the creation of cluster {cluster} was cut off; the up removes what it left, or goes on with it"
        )
        return None
    return observed


def _ways_to_start(still: Sequence[Node]) -> str:
    # docker refuses to start what is paused.
    verbs = {
        "unpause": [n.name for n in still if n.state == "paused"],
        "start": [n.name for n in still if n.state != "paused"],
    }
    return " and ".join(f"`docker {verb} {' '.join(names)}`" for verb, names in verbs.items() if names)


def _creation_was_cut_off(cluster: str) -> bool:
    return (BREADCRUMBS / f"{cluster}.creating").exists()


def _control_plane(cluster: str, nodes: Sequence[Node]) -> str:
    for node in nodes:
        if node.role == "control-plane":
            return node.name
    raise ObservationError(f"cluster {cluster} has no control plane; if of no use, `kind delete cluster -n {cluster}`")


def _list_nodes(cluster: str) -> list[str]:
    return ["docker", "ps", "--all", "--quiet", "--filter", f"label={KIND_LABEL}={cluster}"]


def _describe_nodes(containers: Sequence[str]) -> list[str]:
    return ["docker", "inspect", "--type", "container", *containers]


def _read_config_maps(control_plane: str) -> list[str]:
    kubectl = ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--request-timeout=15s", "--namespace=kube-system"]
    names = ["kubeadm-config", MARKER_NAME]
    return ["docker", "exec", control_plane, *kubectl, "get", "configmap", *names, "--ignore-not-found", "-o", "json"]


def nodes_from(listing: str) -> tuple[Node, ...]:
    """Nodes in the JSON of `docker inspect`, in the order of their names. kind's load balancer is none."""
    try:
        nodes = [
            Node(
                name=str(item["Name"]).removeprefix("/"),
                role=item["Config"]["Labels"]["io.x-k8s.kind.role"],
                # What the node was made from; `docker ps` shows an id once the tag has moved to another image.
                image=item["Config"]["Image"],
                state=item["State"]["Status"],
                started=item["State"]["StartedAt"],
                # What docker listens on now: the port may have been left to it.
                hubble=next(iter(host_ports(item["NetworkSettings"]["Ports"], f"{NODE_PORT}/tcp")), None),
            )
            for item in json.loads(listing)
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise ObservationError(f"docker's word on the nodes cannot be read ({error!r}): {listing[:200]!r}") from error
    return tuple(
        sorted((node for node in nodes if node.role in ("control-plane", "worker")), key=lambda node: node.name)
    )


def observed_from(nodes: tuple[Node, ...], config_maps: Mapping[str, Any]) -> Observed:
    """Put the nodes and the two ConfigMaps (a List of those that exist) together."""
    # kubectl prints a List for several names, and nothing but the object where a single one was found.
    items = config_maps.get("items", [config_maps] if config_maps.get("kind") == "ConfigMap" else [])
    data = {item["metadata"]["name"]: item.get("data", {}) for item in items}
    if "kubeadm-config" not in data:
        raise ObservationError("the cluster has no ConfigMap kubeadm-config: it was not made by kind")
    networking = yaml.safe_load(data["kubeadm-config"]["ClusterConfiguration"])["networking"]
    try:
        marker = marker_from(data[MARKER_NAME]) if MARKER_NAME in data else None
    except UnknownStrategyError as error:
        raise ObservationError(f"the cluster cannot be taken on: {error}") from error
    return Observed(
        nodes=nodes,
        pod_subnet=str(networking["podSubnet"]),
        service_subnet=str(networking["serviceSubnet"]),
        marker=marker,
    )
