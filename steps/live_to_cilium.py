"""Moves a node to Cilium under its running Pods: each keeps its process, its address and its connections. Flannel's
agent away, each Pod routed on its own, Cilium's agent on, which is told of each of them; then the residue (stdin) off.
Goes on where an earlier run was cut off: every step looks at what is there."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from steps.cni_settled import await_settled
from steps.direct_routes import routes_again
from steps.doors.kubectl import Kubectl
from steps.doors.node import on_node
from steps.evictions import renew_pending_pods
from steps.findings.tenants import Tenant, gateway_of, health_of
from steps.held import Base, begin
from steps.introduce import introduce_nodes
from steps.live_pods import Place, adopt, bridge_off, forget_ended, reserve, settled_tenants, take_out, tenants
from steps.live_proof import note_quiet, prove_cilium
from steps.names import AGENTS, KUBE_PROXY
from steps.node_clean import clean
from steps.nodes import Node, await_gone, await_pod, cordon, label, lift_cordon, node, nodes, table
from steps.preflight_live import of_node_s_pods
from steps.residue import SNATED_MARK
from steps.running import StepError, main, say


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """`plugin_residue` is the CNI plugin's processes alone, which end before anybody looks at the Pods."""

    node: str
    pod_subnet: str
    plugin_residue: str


def live_to_cilium(needs: Needs, residue: str) -> None:
    """The node has Cilium and each of its Pods answers. Raises StepError naming those that do not: the node has not
    moved then, and its Pods go on by the kernel's routes."""
    with begin(needs) as kubectl:
        found = node(kubectl, needs.node)
        place = Place(node=found.name, pod_cidr=found.pod_cidr)
        rows = nodes(kubectl)
        asker = next((row.name for row in rows if row.name != found.name), found.name)
        met: list[Tenant] = []
        if found.owner != needs.cni:
            met = _let_go(kubectl, needs, found, place, rows, asker)
            _hand_to_agent(kubectl, needs, place, met)
        else:
            # Cut off behind the label, by this strategy or another: nothing says how far, so all of it is looked at.
            # The agent gives addresses away from the moment on when it answers.
            reserve(place, tenants(place))
        # Not only when it is Ready: its API answers some seconds before.
        pods = tenants(place)
        if refused := adopt(place, pods):
            raise StepError(
                f"{needs.node}: Cilium does not take these Pods, which run on as they are:\n" + "\n".join(refused)
            )
        await_pod(kubectl, needs.node, AGENTS[needs.cni])
        # Kube-proxy serves the node's own ports until Cilium does, which the Pods' programs say nothing of.
        await_settled(kubectl, needs.node)
        label(kubectl, needs.node, cni_services="cilium")
        await_gone(kubectl, needs.node, KUBE_PROXY)
        bridge_off(place)
        clean(needs.node, residue, [row.address for row in rows])
        forget_ended(place, met, pods)
        on_node(needs.node, "hold", env={"STEP": "off"})
        prove_cilium(place, asker)
        renew_pending_pods(kubectl, needs.node)
        if found.cordoned != "by-user":
            lift_cordon(kubectl, needs.node)


def _let_go(kubectl: Kubectl, needs: Needs, found: Node, place: Place, rows: list[Node], asker: str) -> list[Tenant]:
    """Flannel is gone from the node, and its Pods are routed on their own."""
    name = found.name
    introduce_nodes(kubectl)
    if found.cordoned == "no":
        cordon(kubectl, name)
    # Since preflight another may have come.
    if lines := of_node_s_pods(kubectl, name, found.pod_cidr):
        raise StepError("\n".join([f"{name} does not move, and stays cordoned:", *lines, "Then run the same again"]))
    if found.owner != "none":
        note_quiet(place, asker, tenants(place))
    label(kubectl, name, cni_owner="none")
    await_gone(kubectl, name, *AGENTS.values())
    on_node(name, "hold", env={"STEP": "on"})
    # A call that is under way would put a Pod into the bridge behind the look at them.
    clean(name, needs.plugin_residue, [row.address for row in rows])
    # Again: what was masqueraded since the routes came, on a node that was started again without its rules.
    on_node(name, "unmasq", env={"STEP": "on", "SNATED_MARK": SNATED_MARK}, stdin=table(rows))
    routes_again(name, rows, needs.pod_subnet)
    pods = settled_tenants(place)
    say(f"{name}: {len(pods)} Pods stay while the CNI changes under them")
    take_out(place, pods)
    addresses = [
        {"type": "InternalIP", "ip": found.address},
        # Cilium's router takes the address of Flannel's bridge: it is the gateway of Pods that run.
        {"type": "CiliumInternalIP", "ip": gateway_of(found.pod_cidr)},
    ]
    # Its health endpoint is given an address before those of Pods can be reserved.
    spec = {"addresses": addresses, "health": {"ipv4": health_of(found.pod_cidr, pods)}}
    kubectl.patch("ciliumnode", name, {"spec": spec}, form="merge")
    return pods


def _hand_to_agent(kubectl: Kubectl, needs: Needs, place: Place, pods: list[Tenant]) -> None:
    """The agent runs, and each Pod's address was reserved as soon as it answered."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        reserved = pool.submit(reserve, place, pods)
        label(kubectl, needs.node, cni_owner=needs.cni)
        reserved.result()


if __name__ == "__main__":
    main(Needs, lambda needs: live_to_cilium(needs, sys.stdin.read()))
