"""Cilium with native routing and without kube-proxy, as a Helm release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.gate import Gate, gated
from components.reading import merge
from components.release_guard import release_guard
from components.workload import OWNER_LABEL

RELEASE = "cilium"
NAMESPACE = "kube-system"
# Seconds until Helm gives up: on a slow link the first start of the agents waits for half a gigabyte of images.
TIMEOUT = 600


@dataclass(frozen=True, kw_only=True)
class CiliumArgs:
    """Where the chart comes from (`repository` counts where `chart` is a name, not a path), the API server as nodes
    reach it, and `values` of the stack, which win over this project's own."""

    cluster: str
    chart: str
    repository: str
    version: str
    pod_subnet: str
    api_host: str
    api_port: int
    values: Mapping[str, Any]
    gate: Gate
    provider: kubernetes.Provider


def cilium_values(pod_subnet: str, api_host: str, api_port: int, over: Mapping[str, Any]) -> dict[str, Any]:
    """Helm values: this project's own with `over` merged on top, key by key."""
    own: dict[str, Any] = {
        "routingMode": "native",
        # Nodes of one Kind cluster share an L2, so each can route to every podCIDR through its node; preflight checks.
        "autoDirectNodeRoutes": True,
        "ipv4NativeRoutingCIDR": pod_subnet,
        "ipam": {"mode": "kubernetes"},
        "kubeProxyReplacement": True,
        # Without kube-proxy no ClusterIP leads to the API, so the agent needs its address (cilium#35440).
        "k8sServiceHost": api_host,
        "k8sServicePort": api_port,
        "bpf": {
            "masquerade": True,
            # BPF host routing goes round the iptables rules with which dockerd answers DNS in a Kind node: names
            # outside the cluster would not resolve (cilium#23283). Set it to false where CoreDNS has another upstream.
            "hostLegacyRouting": True,
        },
        # Agents read their settings at start only: without a roll-out a changed value would be in the ConfigMap and
        # nowhere else, and the release would say that it is deployed.
        "rollOutCiliumPods": True,
        # One agent at a time: two that start at once on a small machine starve the Pods (323 of 7,094 requests failed).
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
        "hubble": {"enabled": True, "relay": {"enabled": True, "rollOutPods": True}, "ui": {"enabled": True}},
        "operator": {
            "replicas": 1,
            "rollOutPods": True,
            # This project replaces the Pods that lost their network; the operator would restart CoreDNS a second time,
            # and in a rolling move on nodes that Flannel still serves.
            "unmanagedPodWatcher": {"restart": False},
            # In a rolling move nodes without an agent serve Pods; the operator would taint them (agent-not-ready).
            "setNodeTaints": False,
        },
        "nodeSelector": {"kubernetes.io/os": "linux", OWNER_LABEL: "cilium"},
    }
    return merge(own, over)


def chart_source(chart: str, repository: str, version: str) -> dict[str, str]:
    """Where Helm gets the chart: a path (anything with a slash) stands for itself, a name needs its repository."""
    if "/" in chart:
        return {"chart": chart}
    return {"chart": chart, "repository": repository, "version": version.removeprefix("v")}


class Cilium(pulumi.ComponentResource):
    """Owns the Helm release kube-system/cilium. Not its CRDs, which the operator makes and takeover.sh removes, nor
    what the agent leaves on the nodes, which NodeCleanup removes."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: CiliumArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Cilium", name, None, opts)
        source = chart_source(args.chart, args.repository, args.version)
        release = kubernetes.helm.v3.Release(
            f"{name}-release",
            name=RELEASE,
            namespace=NAMESPACE,
            chart=source["chart"],
            version=source.get("version"),
            repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=source.get("repository")),
            values=cilium_values(args.pod_subnet, args.api_host, args.api_port, args.values),
            timeout=TIMEOUT,
            # In a rolling migration no node is Cilium's yet: the relay would wait for an agent until Helm gives up.
            # The nodes' moves and the verification wait for every agent themselves.
            skip_await=args.gate.rolling,
            opts=pulumi.ResourceOptions.merge(
                gated(self, args.gate, args.provider),
                pulumi.ResourceOptions(hooks=release_guard(name, args.cluster, RELEASE, NAMESPACE)),
            ),
        )
        self.ready = [release]
        self.register_outputs({})
