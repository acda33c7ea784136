"""Removes whatever is still in the cluster of either CNI, by name and by label: the other stack's objects, or those of
a state that was lost. In a change of CNI inside one stack the engine has deleted them before, and nothing is found.
Then labels every node with its new owner."""

from __future__ import annotations

from dataclasses import dataclass

from steps.coredns_budget import release
from steps.doors.kubectl import Kubectl
from steps.held import Base, begin
from steps.names import AGENTS, CORDONED, KUBE_PROXY, OWNER_LABEL, PART_OF, READY_BEFORE, SERVICES_LABEL, selector
from steps.nodes import lift_cordon, nodes
from steps.old_cni import forget_flannel, remove_cilium, remove_flannel_by_name, remove_kube_proxy, untaint
from steps.running import StepError, main
from steps.side_by_side import each


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """The claim alone."""


def takeover(needs: Needs) -> None:
    """Nothing of a CNI is left in the cluster. Raises StepError where something could not be removed."""
    with begin(needs) as kubectl:
        try:
            # Both end before a failure of either is reported: the next `up` must not start while one still deletes.
            each(
                {
                    "cilium": lambda: remove_cilium(kubectl),
                    "flannel": lambda: _remove_flannel(kubectl, comes_back=needs.cni == "flannel"),
                },
                "the removal",
            )
        except StepError as error:
            raise StepError(f"what the other CNI has in the cluster could not all be removed: {error}") from error
        _await_pods(kubectl)
        forget_flannel(kubectl)
        untaint(kubectl)
        # Only now: the DaemonSets of the new CNI select on these labels, so no node ever runs two.
        services = "cilium" if needs.cni == "cilium" else "kube-proxy"
        owner = (f"{OWNER_LABEL}={needs.cni}", f"{SERVICES_LABEL}={services}")
        kubectl.act("label", "nodes", "--all", "--overwrite", *owner)
        # A migration by nodes that was cut off leaves CoreDNS's budget, what it remembers of a node, and the node
        # cordoned that it was moving. By the note alone: where a user has lifted that cordon, a note that stays would
        # make the user's next one look like a move's.
        release(kubectl)
        kubectl.run("annotate", "nodes", "--all", f"{READY_BEFORE}-")
        for node in nodes(kubectl):
            if CORDONED in node.annotations:
                lift_cordon(kubectl, node.name)


def _remove_flannel(kubectl: Kubectl, *, comes_back: bool) -> None:
    """Ours by label, the probes too; then by the names of Flannel's own manifest and of kubeadm's kube-proxy."""
    ours = f"--selector={selector(PART_OF)}"
    kubectl.delete("daemonset,configmap,serviceaccount,service", "--all-namespaces", ours)
    kubectl.delete("clusterrole,clusterrolebinding", ours)
    remove_flannel_by_name(kubectl, wait=comes_back)
    remove_kube_proxy(kubectl)


def _await_pods(kubectl: Kubectl) -> None:
    """The Pods go after their DaemonSets; a node must not be cleaned under a flanneld that still writes."""
    for agent in (AGENTS["cilium"], AGENTS["flannel"], KUBE_PROXY):
        kubectl.wait("pods", "--all-namespaces", f"--selector={agent}", until="delete", seconds=120)


if __name__ == "__main__":
    main(Needs, takeover)
