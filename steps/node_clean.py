"""Removes what a CNI left on a node, by residue.py's table on stdin, and what the node knows of its Pods' connections;
prints the time when it was done."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from steps import marker
from steps.doors.kubectl import cluster
from steps.doors.node import on_node
from steps.doors.process import ToolError
from steps.nodes import nodes
from steps.residue import explain
from steps.running import StepError, main


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The cluster, its node, the subnet of all Pods, and where and as what the step is noted in the recording."""

    cluster: str
    node: str
    pod_subnet: str
    control_plane: str
    mark: str


def clean(node: str, table: str, peers: Sequence[str]) -> str:
    """What clean.sh prints: the time; `peers` are the addresses of the cluster's nodes. Raises StepError naming what is
    still there, and why that matters."""
    try:
        return on_node(node, "clean", stdin=table, env={"PEERS": " ".join(peers)})
    except ToolError as error:
        raise StepError("\n".join([f"{node}: {error}", *explain(error.said)])) from error


def node_clean(needs: Needs) -> str:
    """The time (UTC, RFC 3339) when the node was clean."""
    if needs.mark:
        marker.mark(needs.control_plane, needs.mark)
    with cluster(needs.cluster) as kubectl:
        peers = [peer.address for peer in nodes(kubectl)]
    cleaned = clean(needs.node, sys.stdin.read(), peers)
    # Behind it: nothing that could send is left of a Pod here.
    on_node(needs.node, "forget_pods", env={"POD_SUBNET": needs.pod_subnet})
    return cleaned


if __name__ == "__main__":
    main(Needs, node_clean)
