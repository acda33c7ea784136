"""Moves a node to the claim's CNI while the rest of the cluster serves: drain, the old agent away, its residue (stdin)
off, the new agent on, uncordon. Goes on where an earlier run was cut off. A drain that fails leaves the node as it
was."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from steps.cni_settled import await_settled
from steps.doors.kubectl import Kubectl
from steps.doors.node import on_node
from steps.evictions import await_pods_of_node, blocking_budgets, evict_pods_of_node, renew_pending_pods
from steps.held import Base, begin
from steps.introduce import introduce_nodes
from steps.names import AGENTS, KUBE_PROXY
from steps.node_clean import clean
from steps.nodes import (
    Node,
    agent_since,
    await_gone,
    await_kube_proxy,
    await_pod,
    cordon,
    label,
    lift_cordon,
    node,
    nodes,
)
from steps.pods import Pod, on_pod_network, patience
from steps.pods_static import renew_static_pods
from steps.remembered import forget_ready, ready_before, remember_ready
from steps.running import StepError, main, say


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """`services_residue` is what kube-proxy leaves on the node, `drain_seconds` how long its drain may take."""

    node: str
    drain_seconds: int
    services_residue: str


def node_move(needs: Needs, residue: str) -> None:
    """The node has the CNI and takes Pods. Raises StepError where it cannot be drained, and it stays as it was."""
    with begin(needs) as kubectl:
        found = node(kubectl, needs.node)
        if found.owner != needs.cni:
            remember_ready(kubectl, found)
            _change_hands(kubectl, needs, found, residue)
        await_pod(kubectl, needs.node, AGENTS[needs.cni])
        say(f"{needs.node}: {needs.cni} answers")
        if needs.cni == "cilium":
            # Cilium serves Services on this node then, at its device too, so kube-proxy can go, and what it wrote.
            await_settled(kubectl, needs.node)
            label(kubectl, needs.node, cni_services="cilium")
            await_gone(kubectl, needs.node, KUBE_PROXY)
            clean(needs.node, needs.services_residue, _peers(kubectl))
        on_node(needs.node, "hold", env={"STEP": "off"})
        try:
            _bring_back(kubectl, needs)
        finally:
            # The node has its CNI and takes Pods: one that does not come back is to keep no other from coming.
            _uncordon(kubectl, found)
        forget_ready(kubectl, needs.node)


def _bring_back(kubectl: Kubectl, needs: Needs) -> None:
    """The Pods that stay on the node have its new network, and are ready where they were ready before."""
    renew_pending_pods(kubectl, needs.node)
    static = [pod for pod in on_pod_network(kubectl, node=needs.node) if pod.static]
    if static:
        renew_static_pods(kubectl, static, before=agent_since(kubectl, needs.node, AGENTS[needs.cni]))
    await_pods_of_node(kubectl, needs.node, 120, ready_before(kubectl, needs.node))


def _change_hands(kubectl: Kubectl, needs: Needs, found: Node, residue: str) -> None:
    name = needs.node
    # Cilium goes on serving Services here until it leaves, and kube-proxy has to be there before. Not on all nodes at
    # once: every agent takes its node's new label for a reason to work, and three of them starved everybody for 1.4 s.
    if needs.cni == "flannel":
        label(kubectl, name, cni_services="kube-proxy")
    say(f"{name}: draining")
    if found.cordoned == "no":
        cordon(kubectl, name)
    _drain(kubectl, needs, found)
    try:
        # What the others must have before this node changes hands; the drain has given it the time to come up.
        if needs.cni == "cilium":
            introduce_nodes(kubectl)
        else:
            await_kube_proxy(kubectl, name)
    except StepError:
        _stays(kubectl, found)
        raise
    say(f"{name}: taking {found.owner if found.owner in AGENTS else 'the old CNI'} away")
    on_node(name, "hold", env={"STEP": "leave"})
    label(kubectl, name, cni_owner="none")
    await_gone(kubectl, name, *AGENTS.values())
    on_node(name, "hold", env={"STEP": "on"})
    try:
        _evict_rest(kubectl, needs)
    except StepError as error:
        raise StepError(f"{error}\n{name}: run the same command again") from error
    clean(name, residue, _peers(kubectl))
    label(kubectl, name, cni_owner=needs.cni)


def _peers(kubectl: Kubectl) -> list[str]:
    return [peer.address for peer in nodes(kubectl)]


def _evict_rest(kubectl: Kubectl, needs: Needs) -> None:
    """Those that stayed until now, DaemonSets' and late comers; each has its own grace period."""
    rest = on_pod_network(kubectl, node=needs.node)
    if late := _losable(rest):
        raise StepError(f"these Pods without a controller came during the move; delete them: {' '.join(late)}")
    grace = max((pod.grace for pod in rest), default=0)
    most = max(60, needs.drain_seconds + grace)
    evict_pods_of_node(kubectl, needs.node, min(patience(rest, 60), most))


def _losable(pods: Sequence[Pod]) -> list[str]:
    """Those that a move would lose. One that has no address yet has no network to lose, and is left to the kubelet; one
    that is being deleted is its user's."""
    return [pod.full_name for pod in pods if pod.bare and pod.address and pod.state != "leaving"]


def _drain(kubectl: Kubectl, needs: Needs, found: Node) -> None:
    """Evicts what will come back elsewhere. Every eviction asks the budgets; nothing is deleted. Pods on the host
    network do not mind a change of CNI, and stay."""
    name = needs.node
    why = ""
    bare = _losable(on_pod_network(kubectl, node=name))
    if not bare:
        try:
            evict_pods_of_node(kubectl, name, needs.drain_seconds, but=("DaemonSet",))
            return
        except StepError as error:
            why = f" {error}"
    _stays(kubectl, found)
    raise StepError(
        f"node {name} cannot be drained within {needs.drain_seconds} s, so it stays with {found.owner} and takes Pods "
        f"as before.{why} Budgets that permit no eviction now: {', '.join(blocking_budgets(kubectl))}. Pods that no "
        f"controller would make anew: {' '.join(bare) or 'none'}"
    )


def _stays(kubectl: Kubectl, found: Node) -> None:
    """The node takes Pods as before where its CNI still works."""
    if found.owner != "none":
        _uncordon(kubectl, found)
        forget_ready(kubectl, found.name)


def _uncordon(kubectl: Kubectl, found: Node) -> None:
    # Where it is cordoned by a user, it stays so.
    if found.cordoned != "by-user":
        lift_cordon(kubectl, found.name)


if __name__ == "__main__":
    main(Needs, lambda needs: node_move(needs, sys.stdin.read()))
