"""Clusters that serve: no migration that interrupts them.

Which clusters serve is the platform team's word, not the stack's: a setting of this rule. Whether the `up` interrupts
is the program's: it is planned with the claim (plan/ownership.py), and an output of the component Migration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reading import CLUSTER, at
from rule import Resource, Settings, stack_rule, texts


def _check(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    names = {at(each.props, "environment", "CLUSTER") for each in resources if each.name == CLUSTER}
    served = sorted(names & set(settings["servingClusters"]))
    for each in resources:
        if served and each.type == "cni-migration:index:Migration" and each.props.get("interrupts") is True:
            yield (
                each,
                f"cluster {', '.join(served)} serves, and this migration takes its network down; set "
                f"migration:strategy to rolling or live, or take the cluster out of servingClusters for the time of an "
                f"outage that was announced",
            )


RULES = [
    stack_rule(
        "serving-cluster-not-interrupted",
        "A cluster that serves is migrated by a strategy that does not interrupt it.",
        _check,
        settings={"servingClusters": texts("names of the clusters (cluster.name) that serve", [])},
    )
]
