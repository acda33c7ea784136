"""Names that more than one part of this project writes or looks for: one home each. Pure."""

from __future__ import annotations

# The ConfigMap in kube-system that says who owns the cluster.
MARKER = "cni-migration"
SYSTEM = "kube-system"
# The namespace of everything that measures.
MEASUREMENT = "cni-migration"
FLANNEL_NAMESPACE = "kube-flannel"
CILIUM_SECRETS = "cilium-secrets"
# takeover.py removes what carries this label, so that a stack can clear away what the other one left in the cluster.
PART_OF = {"app.kubernetes.io/part-of": "cni-migration"}
# The node label that says which CNI owns the node; it is set when the other CNI is gone from there.
OWNER_LABEL = "cni-owner"
# The node label that says who serves Services there. A label of its own, since in a rolling move the one that comes has
# to serve before the one that goes stops.
SERVICES_LABEL = "cni-services"
# The node annotation that tells a cordon of this project's from a user's own.
CORDONED = "cni-migration/cordoned"
# The node annotation that remembers which Pods were ready there before its move.
READY_BEFORE = "cni-migration/ready-before"
# The Secrets in kube-system that keep the manifests of Pods that nobody makes anew, and what is said in them: whose
# copy it is, and that this project has deleted that Pod.
KEPT_PREFIX, KEPT_LABEL, KEPT_OF, KEPT_DELETED = (
    "cni-migration-pod-",
    {"cni-migration/kept": "pod"},
    "cni-migration/pod",
    "cni-migration/deleted",
)
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
# The label of each CNI's agents, and of kube-proxy's Pods.
AGENTS = {"cilium": "k8s-app=cilium", "flannel": "app=flannel"}
KUBE_PROXY = "k8s-app=kube-proxy"
RELEASE = "cilium"
# Of CoreDNS, while nodes are drained one after the other.
COREDNS_BUDGET = "cni-migration-coredns"
# Where the probers record the interruption on each node: `run` while it goes on, which holds the recording's name, and
# a folder a recording. A hostPath: Pods write there, so root writes nothing there that it goes by.
TRAFFIC_FOLDER = "/var/lib/cni-migration/traffic"
# What root writes of a recording: its steps, and its report. No Pod has it.
REPORT_FOLDER = "/var/lib/cni-migration/report"
# The Service and the Pods that the verification asks.
PROBE, PROBE_HOST, PROBE_PORT = "probe", "probe-host", 8080
# The Deployment of the probers on the Pod network, their DaemonSet on the host's, and the port that they answer on.
TRAFFIC, TRAFFIC_HOST, TRAFFIC_PORT = "traffic", "traffic-host", 8090
# The Service by whose node port they are asked from outside, and who asks it. The port is one of those that the API
# gives to nobody by itself: one of its choice may be Hubble's.
TRAFFIC_OUTSIDE, TRAFFIC_NODE_PORT = "traffic-outside", 30085


def selector(labels: dict[str, str]) -> str:
    """The labels as kubectl takes them."""
    return ",".join(f"{key}={value}" for key, value in labels.items())
