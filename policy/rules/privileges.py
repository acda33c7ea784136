"""Privileges: the CNI needs the node, the probes need its network, and nothing else needs either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reading import CNI, PROBES, at, containers, items, pod_spec
from rule import Resource, Settings, resource_rule, texts


def _check(resource: Resource, settings: Settings) -> Iterator[str]:
    spec = pod_spec(resource)
    if spec is None or resource.within(settings["cniComponents"]):
        return
    probe = resource.within(settings["probeComponents"])
    if at(spec, "hostNetwork") and not probe:
        yield "hostNetwork is true; only the CNI and the probes may have the node's network: take it out"
    for field in ("hostPID", "hostIPC"):
        if at(spec, field):
            yield f"{field} is true; nothing but the CNI may see the node's own processes: take it out"
    for volume in items(spec, "volumes"):
        path = at(volume, "hostPath", "path")
        if at(volume, "hostPath") and not (probe and path in settings["probeHostPaths"]):
            yield f"volume {volume.get('name')} is the node's {path}; use an emptyDir, a ConfigMap or a claim"
    for container in containers(spec):
        for wrong in _container(container, settings["probeCapabilities"] if probe else []):
            yield f"container {container.get('name')}: {wrong}"


def _container(container: Mapping[str, Any], allowed: list[str]) -> Iterator[str]:
    context = at(container, "securityContext")
    if at(context, "privileged"):
        yield "privileged is true; add the one capability that it needs to a probe, or take it out"
    if at(context, "allowPrivilegeEscalation"):
        yield "allowPrivilegeEscalation is true; take it out"
    more = sorted(set(items(context, "capabilities", "add")) - set(allowed))
    if more:
        yield f"capabilities {', '.join(more)} are added; take them out" + (
            f" (a probe may have {', '.join(allowed)})" if allowed else ""
        )
    for port in items(container, "ports"):
        if at(port, "hostPort"):
            yield f"hostPort {int(at(port, 'hostPort'))} takes a port of the node; use a Service"


RULES = [
    resource_rule(
        "no-privileges",
        "Nothing but the CNI has the node, nothing but the probes its network.",
        _check,
        settings={
            "cniComponents": texts("components that may do anything to a node", CNI),
            "probeComponents": texts("components that may have the node's network", PROBES),
            "probeCapabilities": texts("capabilities that a probe may add", ["NET_RAW", "NET_ADMIN"]),
            "probeHostPaths": texts("folders of the node that a probe may have", ["/var/lib/cni-migration/traffic"]),
        },
    )
]
