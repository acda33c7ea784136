"""Cilium with native routing and without kube-proxy, as a Helm release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.cni.release_guard import release_guard
from components.gate import Gate, gated
from settings.helm_values import has_empty_list
from settings.hubble import NODE_PORT
from settings.reading import merge
from steps.names import OWNER_LABEL, RELEASE, SYSTEM

# Seconds until Helm gives up on a hook of the chart, such as the Job that makes Hubble's certificates.
TIMEOUT = 600


@dataclass(frozen=True, kw_only=True)
class ChartSource:
    """Where Helm gets the chart. `repository` and `version` are empty where `chart` is a path."""

    chart: str
    repository: str = ""
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class CiliumArgs:
    """The chart, its values as a whole, and the repository as the release gets it; `cluster` is the Kind cluster's
    name."""

    cluster: str
    chart: ChartSource
    values: pulumi.Input[Mapping[str, Any]]
    repository: pulumi.Input[str] | None
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
        "hubble": {
            "enabled": True,
            "relay": {"enabled": True, "rollOutPods": True},
            # The port of this machine that the cluster was made with leads here.
            "ui": {"enabled": True, "service": {"type": "NodePort", "nodePort": NODE_PORT}},
            # Counted by each agent in passing, and asked for by nobody but whoever scrapes port 9965 of a node.
            "metrics": {"enabled": ["dns", "drop", "tcp", "flow", "icmp", "port-distribution", "policy"]},
        },
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


def chart_source(chart: str, repository: str, version: str) -> ChartSource:
    """Where Helm gets the chart: a path stands for itself, with the version that is in it; a name needs its repository,
    and an OCI address or REPOSITORY/NAME its version: without one the newest would be installed, and a later `up`
    upgrade by itself."""
    number = version.removeprefix("v")
    if chart.startswith(("/", "./", "../", "~")):
        return ChartSource(chart=chart)
    if "/" in chart:
        return ChartSource(chart=chart, version=number)
    return ChartSource(chart=chart, repository=repository, version=number)


class Cilium(pulumi.ComponentResource):
    """Owns the Helm release kube-system/cilium. Not its CRDs, which the operator makes and takeover.py removes, nor
    what the agent leaves on the nodes, which NodeCleanup removes."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: CiliumArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Cilium", name, None, opts)
        source = args.chart
        release = kubernetes.helm.v3.Release(
            f"{name}-release",
            name=RELEASE,
            namespace=SYSTEM,
            chart=source.chart,
            version=source.version or None,
            repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=args.repository),
            values=args.values,
            # Without it the provider drops an empty list, and the chart's default stands in its place. Only where there
            # is one: what has none need not be upgraded for the sake of an option.
            allow_null_values=True if has_empty_list(args.values) else None,
            timeout=TIMEOUT,
            # The moves and the verification wait for each workload by name. Helm would wait for more until it gives up:
            # for a relay without an agent where nodes follow one by one, for the address of a LoadBalancer Service.
            skip_await=True,
            opts=pulumi.ResourceOptions.merge(
                gated(self, args.gate, args.provider),
                pulumi.ResourceOptions(
                    hooks=release_guard(name, args.cluster, RELEASE, SYSTEM),
                    # A step that holds the claim uninstalls it (steps/old_cni.py), and keeps users' objects first.
                    # Without it the provider does so as well, and after rolling_finish.py it fails with «release: not
                    # found».
                    retain_on_delete=True,
                ),
            ),
        )
        self.ready = [release]
        self.register_outputs({})
