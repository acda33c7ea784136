"""Moves a node back to Flannel under its running Pods: each keeps its process, its address and its connections.
Cilium's agent away while its programs go on, each Pod routed on its own, the programs away, each Pod into the bridge,
Flannel's agent on; then Cilium's residue (stdin) off. Goes on where an earlier run was cut off: every step looks at
what is there."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from steps.direct_routes import routes_again
from steps.doors.kubectl import Kubectl
from steps.doors.node import on_node
from steps.evictions import renew_pending_pods
from steps.findings.tenants import Tenant
from steps.held import Base, begin
from steps.live_back_pods import (
    forget_ended,
    forget_left,
    into_bridge,
    keep_router,
    masquerading,
    pods_mtu,
    route_back,
    settle,
    take_addresses,
    take_programs,
)
from steps.live_pods import Place, settled_tenants, tenants
from steps.live_proof import at_rest, note_quiet, prove_flannel
from steps.names import AGENTS
from steps.node_clean import clean
from steps.nodes import (
    Node,
    await_gone,
    await_kube_proxy,
    await_pod,
    cordon,
    label,
    lift_cordon,
    node,
    nodes,
    table,
)
from steps.preflight_live import of_node_s_pods
from steps.residue import SNATED_MARK
from steps.running import StepError, main, say


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """`plugin_residue` is the CNI plugin's processes alone, which end before anybody looks at the Pods; `early_residue`
    what goes before the Pods are in the bridge: not their devices."""

    node: str
    pod_subnet: str
    plugin_residue: str
    early_residue: str


def live_to_flannel(needs: Needs, residue: str) -> None:
    """The node has Flannel and each of its Pods answers. Raises StepError naming those that do not."""
    with begin(needs) as kubectl:
        found = node(kubectl, needs.node)
        place = Place(node=found.name, pod_cidr=found.pod_cidr)
        if found.owner == needs.cni and at_rest(place):
            say(f"{needs.node}: has {needs.cni}, and its Pods with it")
            await_pod(kubectl, needs.node, AGENTS[needs.cni])
        else:
            _move(kubectl, needs, found, place, residue)
        renew_pending_pods(kubectl, needs.node)
        if found.cordoned != "by-user":
            lift_cordon(kubectl, needs.node)


def _move(kubectl: Kubectl, needs: Needs, found: Node, place: Place, residue: str) -> None:
    rows = nodes(kubectl)
    asker = next((row.name for row in rows if row.name != found.name), found.name)
    met, mtu_before = list[Tenant](), 0
    if found.owner != needs.cni:
        met, mtu_before = _change_hands(kubectl, needs, found, place, rows, asker)
    await_pod(kubectl, needs.node, AGENTS[needs.cni])
    pods, mtu = tenants(place), pods_mtu(place)
    # A cut-off move may have left some out, and the MTU is Flannel's own word now.
    if mtu != mtu_before or not set(pods) <= set(met):
        take_addresses(place, pods, needs.pod_subnet, mtu)
        into_bridge(place, pods, needs.pod_subnet, mtu)
    clean(needs.node, residue, [row.address for row in rows])
    settle(place, pods, needs.pod_subnet, mtu)
    forget_ended(place, [*met, *pods])
    on_node(needs.node, "hold", env={"STEP": "off"})
    prove_flannel(place, asker)


def _change_hands(
    kubectl: Kubectl, needs: Needs, found: Node, place: Place, rows: list[Node], asker: str
) -> tuple[list[Tenant], int]:
    """Cilium is gone from the node, its Pods are in the bridge, Flannel's agent comes. Which Pods, and their MTU."""
    name, peers = found.name, [row.address for row in rows]
    if found.cordoned == "no":
        cordon(kubectl, name)
    # Since preflight another may have come.
    if lines := of_node_s_pods(kubectl, name, found.pod_cidr):
        raise StepError("\n".join([f"{name} does not move, and stays cordoned:", *lines, "Then run the same again"]))
    here = tenants(place)
    if found.owner != "none":
        note_quiet(place, asker, here)
    # First: where it has no answer, the node is as it was.
    before = masquerading(kubectl, place, here)
    on_node(name, "hold", env={"STEP": "leave"})
    # A call that is under way would give a Pod a network behind the look at them.
    clean(name, needs.plugin_residue, peers)
    # In one stroke: the agent's programs go on without it, and serve Services here until kube-proxy does.
    label(kubectl, name, cni_owner="none", cni_services="kube-proxy")
    await_gone(kubectl, name, *AGENTS.values())
    await_kube_proxy(kubectl, name)
    on_node(name, "hold", env={"STEP": "on"})
    # Flannel's rules come with its agent, and Cilium's masquerading goes before.
    told = {"STEP": "alone", "POD_SUBNET": needs.pod_subnet, "SNATED_MARK": SNATED_MARK}
    on_node(name, "unmasq", env=told, stdin=table(rows))
    routes_again(name, rows, needs.pod_subnet)
    pods = settled_tenants(place)
    say(f"{name}: {len(pods)} Pods stay while the CNI changes under them")
    route_back(place, pods)
    take_programs(place, pods, before, peers, found.address, needs.pod_subnet)
    clean(name, needs.early_residue, peers)
    # Before the agent comes: its plugin would give their addresses to others.
    mtu = pods_mtu(place)
    forget_left(place, pods)
    keep_router(place)
    take_addresses(place, pods, needs.pod_subnet, mtu)
    label(kubectl, name, cni_owner=needs.cni)
    into_bridge(place, pods, needs.pod_subnet, mtu)
    return pods, mtu


if __name__ == "__main__":
    main(Needs, lambda needs: live_to_flannel(needs, sys.stdin.read()))
