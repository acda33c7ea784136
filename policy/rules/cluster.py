"""The cluster Command: updated, never replaced, and deleted by the step that asks whose it is."""

from __future__ import annotations

from collections.abc import Iterator

from reading import CLUSTER
from rule import COMMAND, Resource, Settings, resource_rule


def _check(resource: Resource, settings: Settings) -> Iterator[str]:
    if resource.type != COMMAND or resource.name != CLUSTER:
        return
    if resource.props.get("triggers"):
        yield "it has triggers: a new one would replace it, which deletes the cluster; use its environment instead"
    if resource.props.get("delete") != "steps.cluster_down":
        yield "its delete is not steps.cluster_down, which leaves a cluster of another stack alone; set it back"
    if resource.delete_before_replace:
        yield "delete_before_replace is set: one slip in a setting would cost the cluster; take it out"


RULES = [resource_rule("cluster-never-replaced", "No change of a setting can delete the cluster.", _check)]
