"""What the CNI says of itself on one node: whatever runs there, not what was asked for."""

from __future__ import annotations

import json
from typing import Any, cast

from steps.doors.kubectl import Kubectl
from steps.doors.node import on_node
from steps.findings.verdict import Status
from steps.names import AGENTS, FLANNEL_NAMESPACE, KUBE_PROXY, SYSTEM
from steps.running import StepError


def status_on(kubectl: Kubectl, node: str) -> Status:
    """The status on `node`. Raises StepError where no agent of a CNI runs, or one does not say what it does."""
    agents = _running(kubectl, SYSTEM, AGENTS["cilium"], node)
    if agents:
        command = ["cilium-dbg", "status", "--output", "json"]
        return cilium_status(node, kubectl.execute(SYSTEM, agents[0], command, container="cilium-agent"))
    if not _running(kubectl, FLANNEL_NAMESPACE, AGENTS["flannel"], node):
        raise StepError("no agent of a CNI runs there")
    return Status(
        node=node,
        routing=on_node(node, "backend", timeout=60).strip(),
        # No kube-proxy and no Cilium: nobody serves Services, which is neither of the two.
        kube_proxy_replacement=False if _running(kubectl, SYSTEM, KUBE_PROXY, node) else None,
        masquerading=on_node(node, "masquerading", timeout=60).strip(),
    )


def cilium_status(node: str, answer: str) -> Status:
    """What `cilium-dbg status --output json` says, with the words of its text form. Raises StepError where a part of it
    is missing or unknown."""
    try:
        said = json.loads(answer)
        routing, masquerading = said["routing"]["inter-host-routing-mode"], said["masquerading"]
        return Status(
            node=node,
            routing={"Native": "native", "Tunnel": "tunnel"}[routing],
            kube_proxy_replacement={"True": True, "False": False}[said["kube-proxy-replacement"]["mode"]],
            masquerading=_masquerading(masquerading),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StepError(f"what Cilium says of itself cannot be read ({error!r}): {answer[:200]!r}") from error


def _masquerading(said: dict[str, Any]) -> str:
    protocols = cast("dict[str, bool] | None", said.get("enabledProtocols"))
    if protocols is None:
        return "enabled" if said.get("enabled") else "disabled"
    # What is false is left out.
    if not (protocols.get("ipv4") or protocols.get("ipv6")):
        return "disabled"
    return {"BPF": "bpf", "iptables": "iptables"}[said["mode"]]


def _running(kubectl: Kubectl, namespace: str, selector: str, node: str) -> list[str]:
    """The Pods there that run and are not being deleted."""
    items = kubectl.objects("pods", namespace=namespace, selector=selector, fields=f"spec.nodeName={node}")
    return [
        item["metadata"]["name"]
        for item in items
        if item.get("status", {}).get("phase") == "Running" and not item["metadata"].get("deletionTimestamp")
    ]
