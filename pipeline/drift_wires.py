"""What a node's packets go by: the configuration of new Pods, sysctls, routes, and whether Pods are reached. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import AddressValueError, IPv4Network
from typing import Any, cast

from pipeline.drift_facts import NodeFacts
from pipeline.drift_promise import CONFLISTS, Promise
from pipeline.drift_report import Finding
from steps.doors.probe import Probe
from steps.names import MEASUREMENT
from steps.nodes import Node

# Cilium's agent sets it when it starts (pkg/datapath/loader/base.go); Flannel has what was there before any CNI, which
# clean.sh compares.
_SYSCTLS = {"cilium": {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "0"}}
_ALWAYS = {"net.ipv4.ip_forward": "1"}


def conflist_findings(promise: Promise, facts: NodeFacts) -> Iterator[Finding]:
    """The runtime takes the first by name, so another's may win, or be the next."""
    own = CONFLISTS[promise.cni]
    for name, text in facts.conflists.items():
        path = f"/etc/cni/net.d/{name}"
        if name == own:
            if flaw := _flaw(promise, text):
                yield Finding(
                    kind="conflist",
                    where=facts.name,
                    says=f"{path} {flaw}",
                    remedy=f"docker exec {facts.name} rm {path}, then restart the CNI's agent there",
                )
        elif "loopback" not in name:
            yield Finding(
                kind="conflist",
                where=facts.name,
                says=f"{path} is the configuration of another CNI: the runtime takes the first by name",
                remedy=f"take away what put it there, then: docker exec {facts.name} rm {path}",
            )


def sysctl_findings(promise: Promise, facts: NodeFacts) -> Iterator[Finding]:
    """Values that packets are dropped by."""
    for key, wanted in _SYSCTLS.get(promise.cni, _ALWAYS).items():
        found = facts.sysctls.get(key, "")
        if found != wanted:
            yield Finding(
                kind="sysctl",
                where=facts.name,
                says=f"{key} is {found or 'not there'}, and {promise.cni} goes by {wanted}",
                remedy=f"docker exec {facts.name} sysctl --write {key}={wanted}",
            )


def route_findings(promise: Promise, facts: NodeFacts, nodes: Sequence[Node]) -> Iterator[Finding]:
    """Routes to podCIDRs: each peer's as the CNI makes it, and no other by way of a node."""
    if promise.cni == "cilium" and (
        promise.value("routingMode") != "native" or promise.value("autoDirectNodeRoutes") is not True
    ):
        return  # the settings ask for routes of somebody else's
    peers = {node.pod_cidr: node for node in nodes if node.name != facts.name and node.pod_cidr and node.address}
    subnet = IPv4Network(promise.pod_subnet)
    seen: set[str] = set()
    for route in facts.routes:
        words = route.split()
        goal = _network(words[0])
        if goal is None or not goal.subnet_of(subnet) or "via" not in words:
            continue
        device, gateway = _after(words, "dev"), _after(words, "via")
        peer = peers.get(words[0])
        if peer and (gateway == peer.address if promise.cni == "cilium" else device == "flannel.1"):
            seen.add(words[0])
        elif not device.startswith(("cilium_", "lxc", "cni0")):
            yield Finding(
                kind="route",
                where=facts.name,
                says=f"the route {words[0]} via {gateway} dev {device} is none of {promise.cni}'s",
                remedy=f"docker exec {facts.name} ip route delete {words[0]} via {gateway} dev {device}",
            )
    for cidr, peer in peers.items():
        if cidr not in seen:
            way = f"via {peer.address}" if promise.cni == "cilium" else "dev flannel.1"
            yield Finding(
                kind="route",
                where=facts.name,
                says=f"there is no route to {cidr} of {peer.name} ({way}): its Pods are not reached",
                remedy=f"restart the agent on {facts.name}, which makes it when it starts",
            )


def pod_findings(facts: Sequence[NodeFacts], probes: Mapping[str, Probe], port: int) -> Iterator[Finding]:
    """Probe Pods that were not reached by their address, from their own node or from another."""
    for node, probe in probes.items():
        address = f"{probe.address}:{port}"
        dead = [it.name for it in facts if it.reached.get(address) is False]
        if node in dead:
            yield Finding(
                kind="pod",
                where=node,
                says=f"pod {MEASUREMENT}/{probe.pod} ({address}) is not reached from its own node: its network is dead",
                remedy=f"kubectl --namespace={MEASUREMENT} delete pod {probe.pod}, which makes it anew; the same for "
                f"every Pod there that does not answer",
            )
        elif dead:
            yield Finding(
                kind="pod",
                where=node,
                says=f"pod {MEASUREMENT}/{probe.pod} ({address}) is not reached from {', '.join(dead)}",
                remedy=f"docker exec {dead[0]} ip route get {probe.address}",
            )


def _flaw(promise: Promise, text: str) -> str:
    if promise.cni == "flannel":
        promised = promise.config_maps["kube-flannel/kube-flannel-cfg"]["cni-conf.json"]
        return "" if text == promised else "is not the one that the settings make"
    try:
        plugins = cast("list[dict[str, Any]]", json.loads(text)["plugins"])
        types = [str(plugin["type"]) for plugin in plugins]
    except (ValueError, TypeError, KeyError) as error:
        return f"cannot be read ({type(error).__name__})"
    return "" if "cilium-cni" in types else f"calls {', '.join(types) or 'nothing'}, not cilium-cni"


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text)
    except (AddressValueError, ValueError):
        return None  # default, blackhole …


def _after(words: Sequence[str], key: str) -> str:
    return words[words.index(key) + 1] if key in words[:-1] else ""
