"""Hubble as this program's user meets it: the port that a cluster gets or has, and what the stack says of it. Pure but
for the look whether a port is free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pulumi

from plan.observation import Observed
from settings import Settings
from settings.hubble import NODE_PORT, HostPort
from steps.doors.process import ToolError
from steps.host_port import in_the_way
from steps.names import SYSTEM


class HostPortError(pulumi.RunError):
    """The port that the settings ask for cannot be had."""


def host_port(settings: Settings, observed: Observed | None) -> HostPort | None:
    """The cluster's port as it is, or as it will be made; None for none.

    Kind maps ports when it makes a cluster, and never again: a cluster that is there keeps what it has."""
    return settings.hubble.mapping if observed is None else observed.hubble


def check_port(settings: Settings, observed: Observed | None) -> None:
    """Raises HostPortError where a cluster is to be made and its port is somebody's; says where a cluster that is there
    has another one than the settings ask for."""
    wanted = settings.hubble.mapping
    if observed is None:
        try:
            wrong = in_the_way(wanted, settings.cluster.name) if wanted else ""
        except ToolError as error:
            raise HostPortError(str(error)) from error
        if wrong:
            raise HostPortError(f"the cluster {settings.cluster.name} cannot be made, and nothing was touched: {wrong}")
    elif observed.hubble not in (wanted, None):
        pulumi.log.info(
            f"hubble: the cluster has {observed.hubble.address}:{observed.hubble.port} for Hubble since it was made; "
            "hubble.port and hubble.address count for a new one"
        )


def reached(settings: Settings, host: HostPort | None, values: Mapping[str, Any]) -> dict[str, str]:
    """How to reach Hubble: `url`, or `command` where no port leads there, and `relay`. `values` are the chart's.

    Each command is one line for a shell in the project's folder, and runs until it is ended."""
    if settings.cni != "cilium":
        return {"why": "Hubble comes with Cilium"}
    hubble = _below(values, "hubble")
    on = {part: _below(hubble, part).get("enabled") in (True, "true") for part in ("relay", "ui")}
    if hubble.get("enabled") not in (True, "true") or not on["relay"]:
        return {"why": "cilium.values switch Hubble or its relay off"}
    tls = _below(hubble, "relay", "tls", "server").get("enabled") in (True, "true")
    told = {"relay": _forward(settings.cluster.name, "hubble-relay", f"4245:{443 if tls else 80}")}
    if not on["ui"]:
        return {"why": "cilium.values switch the UI off", **told}
    service = _below(hubble, "ui", "service")
    # Another NodePort is one to which no port of this machine leads.
    if host and service.get("type") == "NodePort" and str(service.get("nodePort")) == str(NODE_PORT):
        return {"url": host.url, **told}
    return {"command": _forward(settings.cluster.name, "hubble-ui", f"{settings.hubble.port or 12000}:80"), **told}


def _forward(cluster: str, service: str, ports: str) -> str:
    file = f".state/{cluster}.kubeconfig"
    return (
        f"kind export kubeconfig --name {cluster} --kubeconfig {file} && "
        f"kubectl --kubeconfig {file} -n {SYSTEM} port-forward service/{service} {ports}"
    )


def _below(tree: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for name in path:
        inner = tree.get(name)
        tree = cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else {}
    return tree
