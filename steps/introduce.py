"""Tells Cilium of the nodes that have no agent yet. It would not know their addresses for nodes', masquerade what goes
there, and stop doing so when their agent comes: connections to the API that are open then are cut off."""

from __future__ import annotations

from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.nodes import Node, nodes
from steps.running import StepError

_CRD = "customresourcedefinition/ciliumnodes.cilium.io"


def introduce_nodes(kubectl: Kubectl) -> None:
    """Every node is a CiliumNode. Raises StepError where Cilium's operator has not made that kind within 120 s."""
    try:
        kubectl.wait(_CRD, until="create", seconds=120)
        kubectl.wait(_CRD, until="condition=Established", seconds=60)
    except ToolError as error:
        raise StepError(
            "Cilium's operator has not made its CustomResourceDefinitions within 120 s: kubectl -n kube-system "
            f"get pods ({error})"
        ) from error
    known = {item["metadata"]["name"] for item in kubectl.objects("ciliumnodes")}
    for node in nodes(kubectl):
        if node.name not in known:
            _introduce(kubectl, node)


def _introduce(kubectl: Kubectl, node: Node) -> None:
    manifest = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {"name": node.name},
        "spec": {
            "addresses": [{"type": "InternalIP", "ip": node.address}],
            "ipam": {"podCIDRs": [node.pod_cidr]},
        },
    }
    try:
        kubectl.create(manifest)
    except ToolError as error:
        # Another node's move may be faster by a moment.
        if not error.says("AlreadyExists"):
            raise
