"""Looks, before anything is touched, whether a CNI can start on every node: its images, the kernel, a common L2, and
what a strategy that drains needs besides. Reports everything that is missing. No claim is held yet."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from steps import preflight_drain, preflight_pods
from steps.doors import helm
from steps.doors.kubectl import Kubectl, cluster
from steps.doors.node import on_node
from steps.doors.process import ToolError
from steps.findings.images import images_of
from steps.names import RELEASE, SYSTEM
from steps.nodes import Node, nodes
from steps.running import StepError, main, say
from steps.side_by_side import each

# The DaemonSets of CNIs that this project does not know how to remove.
_OTHERS = ("kindnet", "calico-node", "weave-net", "antrea-agent", "kube-router", "canal")
# Seconds for one node: it may have to pull every image.
_LOOK = 1800


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`strategy` is for the message only, `drains` and `needs_one_l2` are facts of it. `images` are those that no chart
    names; `chart` is empty where there is none, and its values come on stdin."""

    cluster: str
    cni: str
    strategy: str
    drains: bool
    needs_one_l2: bool
    unenforced_policies: bool
    nodes: tuple[str, ...]
    images: tuple[str, ...]
    chart: str
    chart_repository: str
    chart_version: str


def verb(needs: Needs) -> str:
    """Raises StepError with everything that is missing."""
    with cluster(needs.cluster) as kubectl:
        images = list(dict.fromkeys([*needs.images, *_of_chart(kubectl, needs)]))
        _refuse_other_cnis(kubectl, needs.cluster)
        missing = [f"{name}: {line}" for name, line in _on_nodes(needs, images, nodes(kubectl))]
        missing += preflight_pods.obstacles(kubectl, drains=needs.drains)
        if needs.drains:
            missing += preflight_drain.obstacles(kubectl, unenforced_policies=needs.unenforced_policies)
    if missing:
        raise StepError(
            f"{needs.cni} cannot come to this cluster by {needs.strategy}, and nothing was touched:\n"
            + "\n".join(f"  - {line}" for line in missing)
        )
    return ""


def _of_chart(kubectl: Kubectl, needs: Needs) -> list[str]:
    """The images of the chart as it will be installed."""
    if not needs.chart:
        return []
    version = _kubernetes_version(kubectl)
    source = (needs.chart, needs.chart_repository, needs.chart_version)
    try:
        manifests = helm.template(kubectl.kubeconfig, RELEASE, SYSTEM, *source, version, sys.stdin.read())
        return images_of(manifests)
    except (ToolError, yaml.YAMLError) as error:
        raise StepError(f"the chart {needs.chart} cannot be rendered; nothing was touched: {error}") from error


def _kubernetes_version(kubectl: Kubectl) -> str:
    answer = kubectl.run("get", "--raw", "/version")
    try:
        return str(json.loads(answer)["gitVersion"])
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"the API's version cannot be read: {answer[:200]!r}") from error


def _refuse_other_cnis(kubectl: Kubectl, name: str) -> None:
    found = [item["metadata"]["name"] for item in kubectl.objects("daemonsets.apps")]
    others = ", ".join(f"daemonset.apps/{other}" for other in found if other in _OTHERS)
    if others:
        raise StepError(
            f"cluster {name} runs another CNI ({others}), which this project does not know how to remove; "
            f"remove it first, or use another cluster. Nothing was touched"
        )


def _on_nodes(needs: Needs, images: Sequence[str], peers: Sequence[Node]) -> list[tuple[str, str]]:
    """NODE and what is missing there, in the order of the nodes."""
    # Cilium's native routing sends to podCIDRs by way of the nodes themselves, whichever the strategy.
    one_l2 = needs.needs_one_l2 or needs.cni == "cilium"
    env = {
        "CNI": needs.cni,
        "NEEDS_ONE_L2": str(one_l2).lower(),
        "PEERS": " ".join(peer.address for peer in peers if peer.address),
    }

    def look(name: str) -> list[str]:
        say(f"preflight: {name}, {len(images)} images")
        try:
            return on_node(name, "preflight", *images, env=env, timeout=_LOOK).splitlines()
        except ToolError as error:
            # A finding, so that what the other nodes miss is reported with it.
            return [f"it could not be looked at ({' '.join(str(error).split())})"]

    found = each({name: (lambda name=name: look(name)) for name in needs.nodes}, "preflight")
    nowhere = [peer.name for peer in peers if one_l2 and not peer.address]
    return [
        *((name, line) for name in needs.nodes for line in found[name]),
        *((name, "it has no InternalIP, so nothing can be routed to it") for name in nowhere),
    ]


if __name__ == "__main__":
    main(Needs, verb)
