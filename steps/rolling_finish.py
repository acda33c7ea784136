"""Ends a migration by nodes: takes the old CNI's objects out of the cluster, which run on no node any more, sees that
each node has its CNI's own route to every peer, and takes the direct routes and CoreDNS's budget away."""

from __future__ import annotations

from dataclasses import dataclass

from steps import bolt
from steps.coredns_budget import release
from steps.direct_routes import told_of
from steps.held import Base, begin
from steps.nodes import nodes, on_every_node
from steps.old_cni import forget_flannel, remove_cilium, remove_flannel_by_name, remove_kube_proxy, untaint
from steps.running import StepError, main, say


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """`pod_subnet` is what the direct routes are for."""

    pod_subnet: str


def finish(needs: Needs) -> None:
    """One CNI is left. Raises StepError where a node has not moved."""
    with begin(needs) as kubectl:
        others = [node.name for node in nodes(kubectl) if node.owner != needs.cni]
        if others:
            raise StepError(f"not every node has moved to {needs.cni}: {' '.join(others)}. Run the same command again")
        release(kubectl)
        # Behind a pause that was verified again since, it is shot.
        bolt.lift(kubectl)
        if needs.cni == "cilium":
            remove_flannel_by_name(kubectl, wait=False)
            remove_kube_proxy(kubectl)
            forget_flannel(kubectl)
        else:
            remove_cilium(kubectl)
            untaint(kubectl)
        say(f"finish: waiting for {needs.cni}'s own routes")
        on_every_node(kubectl, "own_routes", CNI=needs.cni)
        # A tunnel's packets come by another way than the routes' do: strict filtering waits until these are gone.
        tunnelled = needs.cni == "flannel"
        told = told_of(needs.pod_subnet)
        for step in ("loose", "away", "strict") if tunnelled else ("away",):
            on_every_node(kubectl, "direct_routes", STEP=step, **told)
        # Last, and whichever the CNI: a way to Cilium that is taken back has left its rules.
        on_every_node(kubectl, "unmasq", STEP="off", **told)
        on_every_node(kubectl, "router", STEP="off")


if __name__ == "__main__":
    main(Needs, finish)
