"""CNIs that this project cannot take away: another kind, Flannel or Cilium that came another way, and those that
somebody outside of the cluster would put back."""

from __future__ import annotations

from steps.doors import helm
from steps.doors.kubectl import Kubectl, Object
from steps.names import FLANNEL_NAMESPACE, RELEASE, SYSTEM
from steps.objects import full_name, part, parts
from steps.preflight_owners import keeper_of

# The DaemonSets of CNIs that this project does not know how to remove. What has no name here shows on the nodes, by its
# configuration (on_node/preflight.sh).
OTHERS = ("kindnet", "calico-node", "weave-net", "antrea-agent", "kube-router", "canal")


def strange_cnis(kubectl: Kubectl) -> list[str]:
    """A line for each."""
    found: list[str] = []
    for item in kubectl.objects("daemonsets.apps"):
        where = full_name(item)
        flannel, cilium = _runs(item, "flanneld"), _runs(item, "cilium-agent")
        if item["metadata"]["name"] in OTHERS:
            found.append(
                f"daemonset {where} is another CNI, which this project does not know how to remove: remove it first, "
                f"or use another cluster"
            )
        elif flannel and where != f"{FLANNEL_NAMESPACE}/kube-flannel-ds":
            found.append(
                f"daemonset {where} is a Flannel that this project does not remove (it knows "
                f"{FLANNEL_NAMESPACE}/kube-flannel-ds): two would run on each node; remove it the way it came"
            )
        elif cilium and not _released(kubectl, item):
            found.append(
                f"daemonset {where} is a Cilium that is not the Helm release {SYSTEM}/{RELEASE}, so it would stay: "
                f"remove it the way it came"
            )
        if (flannel or cilium or where == f"{SYSTEM}/kube-proxy") and (keeper := keeper_of(item)):
            found.append(
                f"daemonset {where} is kept by {keeper}, which would put it back beside the new CNI: take it out "
                f"there (or end the synchronisation and remove the label) first"
            )
    return found


def _runs(item: Object, program: str) -> bool:
    """Whether one of its containers runs the program, by its command."""
    return any(
        str(word).rsplit("/", 1)[-1] == program
        for container in parts(item, "spec", "template", "spec", "containers")
        for word in (*parts(container, "command"), *parts(container, "args"))
    )


def _released(kubectl: Kubectl, item: Object) -> bool:
    """Whether it is of the release that this project uninstalls, by its annotations and by Helm's own word."""
    notes = part(item, "metadata", "annotations")
    home = (notes.get("meta.helm.sh/release-namespace"), notes.get("meta.helm.sh/release-name"))
    return home == (SYSTEM, RELEASE) and RELEASE in helm.releases(kubectl.kubeconfig, SYSTEM)
