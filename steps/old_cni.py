"""Takes each CNI's objects out of the cluster, by name. What is not there is no failure."""

from __future__ import annotations

from steps import kept_objects
from steps.cilium_kinds import CRDS
from steps.doors import helm
from steps.doors.kubectl import Kubectl
from steps.names import CILIUM_SECRETS, FLANNEL_NAMESPACE, RELEASE, SYSTEM
from steps.namespaces import is_flannels, remove_namespace
from steps.nodes import nodes
from steps.running import say

AGENT_TAINT = "node.cilium.io/agent-not-ready"
_FLANNEL = "flannel.alpha.coreos.com/"


def remove_cilium(kubectl: Kubectl) -> None:
    """The release, Cilium's CustomResourceDefinitions, its namespace for secrets, its operator's lease. What of that is
    a user's is kept first; Helm takes the namespace with everything in it."""
    kept_objects.keep(kubectl)
    if RELEASE in helm.releases(kubectl.kubeconfig, SYSTEM):
        say(f"removing the Helm release {RELEASE}")
        helm.uninstall(kubectl.kubeconfig, SYSTEM, RELEASE, 180)
    found = {item["metadata"]["name"] for item in kubectl.objects("customresourcedefinitions")}
    if ours := sorted(found & CRDS):
        # Once more: what was made while Helm worked would go unnamed.
        kept_objects.keep(kubectl)
        # Their objects go with them; CiliumNodes left behind would keep old podCIDRs alive (cilium-cli#2694).
        kubectl.delete("customresourcedefinitions", *ours)
    # What a user had put there is kept by now; of anything else it may hold nobody knows.
    remove_namespace(kubectl, CILIUM_SECRETS, lambda item: item["kind"] in ("Secret", "ConfigMap"), wait=True)
    kubectl.delete("lease", "cilium-operator-resource-lock", f"--namespace={SYSTEM}")


def remove_flannel_by_name(kubectl: Kubectl, *, wait: bool) -> None:
    """Flannel's objects by the names of its own manifest, and its namespace where nothing else is in it. Its end takes
    the controller 5 s; only a Flannel that comes back has to `wait` for it."""
    kubectl.delete("daemonset", "kube-flannel-ds", f"--namespace={FLANNEL_NAMESPACE}")
    kubectl.delete("clusterrole,clusterrolebinding", "flannel")
    kubectl.delete("configmap", "kube-flannel-cfg", f"--namespace={FLANNEL_NAMESPACE}")
    kubectl.delete("serviceaccount", "flannel", f"--namespace={FLANNEL_NAMESPACE}")
    remove_namespace(kubectl, FLANNEL_NAMESPACE, is_flannels, wait=wait)


def remove_kube_proxy(kubectl: Kubectl) -> None:
    """This project's own, or kubeadm's."""
    kubectl.delete("daemonset,configmap,serviceaccount", "kube-proxy", f"--namespace={SYSTEM}")
    kubectl.delete("clusterrolebinding", "kube-proxy")


def forget_flannel(kubectl: Kubectl) -> None:
    """Flannel's annotations of the nodes."""
    keys = ("backend-data", "backend-type", "kube-subnet-manager", "public-ip", "backend-v6-data", "public-ipv6")
    kubectl.run("annotate", "nodes", "--all", *(f"{_FLANNEL}{key}-" for key in keys))


def untaint(kubectl: Kubectl) -> None:
    """The taint of Cilium's operator."""
    for node in nodes(kubectl):
        if AGENT_TAINT in node.taints:
            kubectl.act("taint", "node", node.name, f"{AGENT_TAINT}-")
