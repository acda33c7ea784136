"""The strategies of a migration, as facts: what the rest asks of one is a fact of it, never its name. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """One way from a CNI to the other. How it is built is in components/migration, under the same name.

    `takes_network_down`: the old CNI goes on all nodes before the new one comes, so nothing is left to move by nodes.
    `moves_nodes`: node by node, each a resource of its own. `drains`: a node's Pods leave it before it moves, so they
    need another node, budgets that permit it, and a controller. `needs_one_l2`: nodes send to podCIDRs through each
    other, whichever CNI. `must_be_measured`: it is not begun unmeasured. `enforces_budget`: an `up` that cost more
    fails. `pauses`: between two nodes it may be left as it is for days, since each node is served by one CNI.
    `keeps_pods`: the CNI changes under Pods that run on."""

    name: str
    takes_network_down: bool
    moves_nodes: bool
    drains: bool
    needs_one_l2: bool
    must_be_measured: bool
    enforces_budget: bool
    pauses: bool
    keeps_pods: bool

    def facts(self) -> dict[str, str]:
        """What the steps are told, as variables of their environment."""
        told = {
            "TAKES_NETWORK_DOWN": self.takes_network_down,
            "DRAINS": self.drains,
            "NEEDS_ONE_L2": self.needs_one_l2,
            "MUST_BE_MEASURED": self.must_be_measured,
            "ENFORCES_BUDGET": self.enforces_budget,
            "KEEPS_PODS": self.keeps_pods,
        }
        return {name: str(value).lower() for name, value in told.items()}


RECREATE = Strategy(
    name="recreate",
    takes_network_down=True,
    moves_nodes=False,
    drains=False,
    needs_one_l2=False,
    must_be_measured=False,
    enforces_budget=False,
    pauses=False,
    keeps_pods=False,
)
ROLLING = Strategy(
    name="rolling",
    takes_network_down=False,
    moves_nodes=True,
    drains=True,
    needs_one_l2=True,
    must_be_measured=True,
    enforces_budget=True,
    pauses=True,
    keeps_pods=False,
)
LIVE = Strategy(
    name="live",
    takes_network_down=False,
    moves_nodes=True,
    drains=False,
    needs_one_l2=True,
    must_be_measured=True,
    enforces_budget=True,
    pauses=True,
    keeps_pods=True,
)
# Those that a stack may choose.
STRATEGIES = {strategy.name: strategy for strategy in (RECREATE, ROLLING, LIVE)}
