"""What the strategies share that move node by node: the new CNI beside the old, then one node after the other, then the
old one away.

A node runs one CNI, chosen by its label, so no two hand out addresses of one podCIDR. Before any node moves, every node
gets direct routes to every other podCIDR, ahead of the old CNI's: a node can then change hands without the others
noticing.
"""

from __future__ import annotations

import pulumi

from components.gate import Gate, gate_options, shut
from components.migration.way import Prepared, Start

# Older than any Pod: nothing is left with a dead network.
NO_POD = "1970-01-01T00:00:00Z"


def prepare_by_nodes(start: Start) -> Prepared:
    """Keeps the gate shut, and makes the direct routes, with a budget that lets a drain take one CoreDNS at a time."""
    steps = start.steps
    cluster = steps.cluster
    gate = steps.step(
        f"{start.name}-gate",
        "keep",
        opts=shut(gate_options(start.parent, cluster.resource, after=[*start.begun, cluster.provider])),
    )
    routes = steps.step(
        f"{start.name}-routes",
        "direct_routes",
        environment={"POD_SUBNET": start.settings.cluster.pod_subnet},
        mark="routes, install",
        # A node that was started again has lost its rule and its routes: while the migration is under way that is a
        # change, which preview shows. Once it is done the routes are not needed, and a start must not be a change.
        also=start.boots,
        once=False,
        opts=steps.options(start.parent, start.begun, keep=("triggers", "environment")),
    )
    return Prepared(
        gate=Gate(resource=gate, after=[routes], cluster=cluster.resource),
        stranded_before=pulumi.Output.from_input(NO_POD),
    )
