"""What a stack's settings say of how a migration goes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from settings.kind import control_plane_names, move_groups, node_names, order_errors, worker_names
from settings.reading import Reader
from settings.strategy import STRATEGIES, Strategy


@dataclass(frozen=True, kw_only=True)
class MigrationSettings:
    """How a migration goes.

    `move_groups` are nodes that move side by side, a group after the other. `drain_seconds` is how long a node's drain
    may take. `max_failures` (new connections) and `max_gap_seconds` are what an `up` may cost whose
    strategy enforces the budget. `pause_after` is the number of nodes after which it stops, 0 for none.
    `broken_connections`: a move under running Pods may break the connections that come in by node ports and load
    balancers.
    """

    strategy: Strategy
    # The epoch of an unfinished migration of another machine that may be taken over; 0 for none.
    abandon_epoch: int
    move_groups: Sequence[Sequence[str]]
    drain_seconds: int
    unenforced_policies: bool
    broken_connections: bool
    max_failures: int
    max_gap_seconds: float
    pause_after: int


MIGRATION_DEFAULTS: dict[str, Any] = {
    "strategy": "live",
    "abandonEpoch": 0,
    "nodeOrder": [],  # workers first, control planes last
    "atATime": 1,
    "pauseAfter": 0,  # never
    "drainSeconds": 120,
    "allowUnenforcedPolicies": False,
    "allowBrokenConnections": False,
    "budget": {"failedConnections": 0, "longestGapSeconds": 1},
}


def read_migration(read: Reader, cluster: str, control_planes: int, workers: int) -> MigrationSettings:
    """The keys below `migration`; mistakes go to the reader."""
    strategy = STRATEGIES[read.choice("migration.strategy", tuple(STRATEGIES))]
    controls = control_plane_names(cluster, control_planes)
    order = read.texts("migration.nodeOrder")
    # An order of nodes, and a number of them, can only be held against nodes that are known.
    known = read.sound("cluster.name", "cluster.controlPlanes", "cluster.workers")
    if order and known:
        read.errors += [
            error + read.where("migration.nodeOrder")
            for error in order_errors("migration.nodeOrder", order, node_names(cluster, control_planes, workers))
        ]
    at_a_time = read.integer("migration.atATime", 1, 50)
    if strategy.drains and known and workers == 1:
        read.refuse(
            "migration.strategy",
            f"{strategy.name} needs two workers, since a drained node's Pods need another one; "
            "set cluster.workers to 2 or more, or the strategy to recreate",
        )
    if strategy.drains and known and 1 < workers <= at_a_time:
        read.refuse(
            "migration.atATime",
            f"{at_a_time} would drain all {workers} workers at once; set it to {workers - 1} or less",
        )
    pause_after = read.integer("migration.pauseAfter", 0, 58)  # nodes: at most 9 control planes and 50 workers
    if known:
        check_pause(read, strategy, pause_after, control_planes + workers)
    return MigrationSettings(
        strategy=strategy,
        abandon_epoch=read.integer("migration.abandonEpoch", 0, 10**9),
        move_groups=move_groups(order or worker_names(cluster, workers) + controls, controls, at_a_time),
        drain_seconds=read.integer("migration.drainSeconds", 1, 3600),
        unenforced_policies=read.boolean("migration.allowUnenforcedPolicies"),
        broken_connections=read.boolean("migration.allowBrokenConnections"),
        max_failures=read.integer("migration.budget.failedConnections", 0, 10**9),
        max_gap_seconds=read.number("migration.budget.longestGapSeconds", 0.1, 3600),
        pause_after=pause_after,
    )


def check_pause(read: Reader, strategy: Strategy, after: int, nodes: int) -> None:
    """Whether a migration of `nodes` by this strategy can be stopped there."""
    key, remove = "migration.pauseAfter", "pulumi config rm migration:pauseAfter"
    if after and not strategy.pauses and read.sound("migration.strategy"):
        ways = " or ".join(way.name for way in STRATEGIES.values() if way.pauses)
        read.refuse(
            key,
            f"{after}, and {strategy.name} moves all nodes at once, so there is nowhere to pause; "
            f"set migration:strategy to {ways}, or remove it ({remove})",
        )
    elif after >= nodes:
        read.refuse(
            key,
            f"{after} leaves none of the {nodes} nodes to go on with; set it to {nodes - 1} or less, "
            f"or remove it ({remove}) to go to the end",
        )
