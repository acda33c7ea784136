"""Settings of Cilium that a change of CNI under running Pods does not survive, or with which it was not tried: as
values of its chart, where it is to come, and as its agents have them, where it is to go. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

# Path, what it must not be, and the agents' key. Each compiles load balancing per packet into the Pods' programs: a
# connection whose address netfilter translates would be translated twice, or by nobody.
_PER_PACKET = (
    ("socketLB.hostNamespaceOnly", "true", "bpf-lb-sock-hostns-only"),
    ("envoyConfig.enabled", "true", "enable-envoy-config"),
    ("ingressController.enabled", "true", "enable-ingress-controller"),
    ("gatewayAPI.enabled", "true", "enable-gateway-api"),
    ("loadBalancer.l7.backend", "envoy", "loadbalancer-l7"),
)
# The Pods are handed over as an agent takes them that keeps one route for each in the main table, and lets netfilter
# see their packets.
_UNTRIED = (
    ("endpointRoutes.enabled", "true", "enable-endpoint-routes"),
    ("ipv6.enabled", "true", "enable-ipv6"),
    ("bpf.hostLegacyRouting", "false", "enable-host-legacy-routing"),
    ("bpf.masquerade", "false", "enable-bpf-masquerade"),
    ("bpf.datapathMode", "netkit", "datapath-mode"),
    ("hostFirewall.enabled", "true", "enable-host-firewall"),
)
# Of the operator, which is there before the first agent.
_MEDDLING = (
    ("operator.unmanagedPodWatcher.restart", "true", "restarts Pods of nodes that are not Cilium's yet"),
    ("operator.setNodeTaints", "true", "taints nodes that are not Cilium's yet"),
)
_BREAKS, _UNKNOWN = "breaks connections to Services that are open", "was not tried under running Pods"


def unfit_values(values: Mapping[str, Any]) -> list[str]:
    """A sentence for each value of the chart."""
    return [
        f"cilium.values.{path} {why}"
        for rows, why in ((_PER_PACKET, _BREAKS), (_UNTRIED, _UNKNOWN))
        for path, refused, _ in rows
        if _text(_at(values, path)) == refused
    ]


def meddling_values(values: Mapping[str, Any]) -> list[str]:
    """A sentence for each value that works against nodes which still have the other CNI, whichever way they move."""
    return [
        f"cilium.values.{path} {refused} {what}; leave it out until the migration is done, or use recreate"
        for path, refused, what in _MEDDLING
        if _text(_at(values, path)) == refused
    ]


def unfit_config(data: Mapping[str, str]) -> list[str]:
    """A sentence for each key of the ConfigMap cilium-config."""
    return [
        f"{key}: {refused} of the Cilium that runs {why}"
        for rows, why in ((_PER_PACKET, _BREAKS), (_UNTRIED, _UNKNOWN))
        for _, refused, key in rows
        if data.get(key) == refused
    ]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _at(values: Mapping[str, Any], path: str) -> object:
    found: object = values
    for key in path.split("."):
        found = cast("Mapping[str, object]", found).get(key) if isinstance(found, Mapping) else None
    return found
