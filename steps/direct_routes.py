"""Gives every node direct routes to every other node's podCIDR, in a table of their own and ahead of the CNI's: from
then on nothing is encapsulated, whichever CNI a node has. And the drains that follow find one budget over CoreDNS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steps.coredns_budget import protect
from steps.doors.kubectl import Kubectl
from steps.doors.node import on_node
from steps.held import Base, begin
from steps.names import FLANNEL_NAMESPACE
from steps.nodes import Node, nodes, on_every_node, table
from steps.residue import DIRECT_TABLE, SNATED_MARK
from steps.running import main, say


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """`pod_subnet` is what the routes are for."""

    pod_subnet: str


def direct_routes(needs: Needs) -> None:
    """Every node reaches every podCIDR without a tunnel, and a drain takes one CoreDNS at a time."""
    with begin(needs) as kubectl:
        if all(node.owner == needs.cni for node in nodes(kubectl)):
            say(f"every node has {needs.cni} already; no routes are needed")
            return
        if needs.cni == "flannel":
            _await_namespace(kubectl)
        protect(kubectl)
        told = told_of(needs.pod_subnet)
        if needs.cni == "cilium":
            # The last way back has left it for what was open then, and Cilium may give it to a Pod.
            on_every_node(kubectl, "router", STEP="off")
            # First: what is masqueraded to a device is reset when the way changes, an SNAT is not.
            on_every_node(kubectl, "unmasq", STEP="on", **told)
        else:
            on_every_node(kubectl, "unmasq", STEP="back", **told)
        on_every_node(kubectl, "direct_routes", STEP="routes", **told)
        # Only now: a node that has the rule sends past the tunnel, and its peer must be ready to take that.
        on_every_node(kubectl, "direct_routes", STEP="rule", **told)


def routes_again(name: str, rows: Sequence[Node], pod_subnet: str) -> None:
    """A node that was started again since has its direct routes, before the old CNI's go."""
    on_node(name, "direct_routes", env={"STEP": "again", **told_of(pod_subnet)}, stdin=table(rows))


def told_of(pod_subnet: str) -> dict[str, str]:
    """The environment of direct_routes.sh, but for its step; unmasq.sh reads of it what it needs."""
    return {"POD_SUBNET": pod_subnet, "TABLE": str(DIRECT_TABLE), "SNATED_MARK": SNATED_MARK}


def _await_namespace(kubectl: Kubectl) -> None:
    """The last migration may have left Flannel's namespace at its end, and nothing can be made in it then."""
    namespace = kubectl.object("namespace", FLANNEL_NAMESPACE)
    if namespace is not None and namespace["status"].get("phase") == "Terminating":
        kubectl.wait(f"namespace/{FLANNEL_NAMESPACE}", until="delete", seconds=120)


if __name__ == "__main__":
    main(Needs, direct_routes)
