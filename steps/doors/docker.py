"""The door to the container engine: the containers of a Kind cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Interface, IPv4Network

from settings.hubble import ANY, HostPort
from steps.doors.process import run
from steps.running import StepError

# kind puts it on every container of a cluster.
KIND_LABEL = "io.x-k8s.kind.cluster"


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container of a cluster, running or not; `created` has a time zone."""

    name: str
    created: datetime


def labelled(*labels: str, running: bool = False) -> list[str]:
    """The ids of the containers with all these labels, or of those among them that run. Raises ToolError where the
    engine does not answer."""
    filters = [word for label in labels for word in ("--filter", f"label={label}")]
    return run(["docker", "ps", *([] if running else ["--all"]), "--quiet", "--no-trunc", *filters]).split()


def containers(cluster: str) -> list[Container]:
    """Every container of the Kind cluster. Raises ToolError where the engine does not answer."""
    ids = labelled(f"{KIND_LABEL}={cluster}")
    if not ids:
        return []
    answer = run(["docker", "inspect", "--type", "container", *ids])
    try:
        return [
            Container(name=str(item["Name"]).removeprefix("/"), created=datetime.fromisoformat(item["Created"]))
            for item in json.loads(answer)
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"docker's word on the containers of {cluster} cannot be read: {answer[:200]!r}") from error


def first_processes(names: Sequence[str]) -> dict[str, int]:
    """The first process of each running container, as the engine's machine numbers it, by the container's id. Raises
    StepError where one does not run."""
    answer = run(["docker", "inspect", "--type", "container", *names])
    try:
        found = {str(item["Id"]): int(item["State"]["Pid"]) for item in json.loads(answer)}
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"docker's word on the processes of the nodes cannot be read: {answer[:200]!r}") from error
    if not found or not all(found.values()):
        raise StepError(f"not all of these containers run: {', '.join(names)}")
    return found


@dataclass(frozen=True, kw_only=True)
class Published:
    """A port of this machine that a node of a Kind cluster has, or takes when it is started."""

    cluster: str
    host: HostPort


def published() -> list[Published]:
    """Of every Kind cluster, running or not. Raises ToolError where the engine does not answer."""
    ids = labelled(KIND_LABEL)
    if not ids:
        return []
    answer = run(["docker", "inspect", "--type", "container", *ids])
    try:
        return [
            Published(cluster=item["Config"]["Labels"][KIND_LABEL], host=host)
            for item in json.loads(answer)
            for host in host_ports(item["HostConfig"]["PortBindings"])
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"docker's word on the ports of Kind's nodes cannot be read: {answer[:200]!r}") from error


def host_ports(ports: Mapping[str, Sequence[Mapping[str, str]] | None] | None, only: str = "") -> list[HostPort]:
    """The IPv4 ones in docker's mapping of container ports (`80/tcp`, where `only` is given that one) to bindings, of
    which there are none for a port that is only exposed."""
    return [
        HostPort(address=binding["HostIp"] or ANY, port=int(binding["HostPort"] or 0))
        for port, bindings in (ports or {}).items()
        if only in ("", port)
        for binding in bindings or ()
        if ":" not in binding["HostIp"]
    ]


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A network that a container is on, with its IPv4 range."""

    network: str
    subnet: IPv4Network


def attachments(names: Sequence[str]) -> list[Attachment]:
    """The networks of running containers. One question for all of them. Raises ToolError where the engine does not
    answer, or has no such container."""
    answer = run(["docker", "inspect", "--type", "container", *names])
    try:
        return [
            Attachment(network=name, subnet=IPv4Interface(f"{end['IPAddress']}/{end['IPPrefixLen']}").network)
            for item in json.loads(answer)
            for name, end in item["NetworkSettings"]["Networks"].items()
            # A stopped container has none, nor one on a network of IPv6 alone.
            if end["IPAddress"]
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StepError(f"docker's word on the networks of the nodes cannot be read: {answer[:200]!r}") from error
