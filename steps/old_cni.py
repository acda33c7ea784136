"""Takes each CNI's objects out of the cluster, by name. What is not there is no failure."""

from __future__ import annotations

from steps.doors import helm
from steps.doors.kubectl import Kubectl
from steps.names import FLANNEL_NAMESPACE, RELEASE, SYSTEM
from steps.nodes import nodes
from steps.running import say

# The kinds of Cilium 1.19 and of the versions before it (pkg/k8s/apis/cilium.io/*/register.go), by their plural names.
# Not all of the group cilium.io: Tetragon's are in it too, and every TracingPolicy would go with them.
_KINDS = (
    "ciliumbgpadvertisements",
    "ciliumbgpclusterconfigs",
    "ciliumbgploadbalancerippools",
    "ciliumbgpnodeconfigoverrides",
    "ciliumbgpnodeconfigs",
    "ciliumbgppeerconfigs",
    "ciliumbgppeeringpolicies",
    "ciliumcidrgroups",
    "ciliumclusterwideenvoyconfigs",
    "ciliumclusterwidenetworkpolicies",
    "ciliumegressgatewaypolicies",
    "ciliumegressnatpolicies",
    "ciliumendpoints",
    "ciliumendpointslices",
    "ciliumenvoyconfigs",
    "ciliumexternalworkloads",
    "ciliumgatewayclassconfigs",
    "ciliumidentities",
    "ciliuml2announcementpolicies",
    "ciliumloadbalancerippools",
    "ciliumlocalredirectpolicies",
    "ciliumnetworkpolicies",
    "ciliumnodeconfigs",
    "ciliumnodes",
    "ciliumpodippools",
    "ciliumvteppolicies",
)
CRDS = frozenset(f"{kind}.cilium.io" for kind in _KINDS)
AGENT_TAINT = "node.cilium.io/agent-not-ready"
_FLANNEL = "flannel.alpha.coreos.com/"


def remove_cilium(kubectl: Kubectl) -> None:
    """The release, Cilium's CustomResourceDefinitions, its namespace for secrets, its operator's lease."""
    if RELEASE in helm.releases(kubectl.kubeconfig, SYSTEM):
        say(f"removing the Helm release {RELEASE}")
        helm.uninstall(kubectl.kubeconfig, SYSTEM, RELEASE, 180)
    found = {item["metadata"]["name"] for item in kubectl.objects("customresourcedefinitions")}
    if ours := sorted(found & CRDS):
        # Their objects go with them; CiliumNodes left behind would keep old podCIDRs alive (cilium-cli#2694).
        kubectl.delete("customresourcedefinitions", *ours)
    kubectl.delete("namespace", "cilium-secrets")
    kubectl.delete("lease", "cilium-operator-resource-lock", f"--namespace={SYSTEM}")


def remove_flannel_by_name(kubectl: Kubectl, *, wait: bool) -> None:
    """Flannel's objects by the names of its own manifest. Its namespace's end takes the controller 5 s; only a Flannel
    that comes back has to `wait` for it."""
    kubectl.delete("daemonset", "kube-flannel-ds", f"--namespace={FLANNEL_NAMESPACE}")
    kubectl.delete("clusterrole,clusterrolebinding", "flannel")
    kubectl.delete("namespace", FLANNEL_NAMESPACE, f"--wait={str(wait).lower()}")


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
