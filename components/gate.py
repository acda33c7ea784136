"""The order of a migration, as options: what a resource must say to be taken down before the gate runs and made again
after it. Where nodes move one by one the gate stays shut, and the engine's own order is the right one: the new CNI is
made first, and what the program names no more, the old one, is deleted last.

The engine is told by three options together; no one of them is enough (depends_on alone never replaces anything, and
neither depends_on nor replace_with reaches the children of a component, so every child gets them itself).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Gate:
    """`resource` is replaced when the old CNI is to go before the new one comes; `after` is what must have run before
    the new CNI comes."""

    resource: pulumi.Resource
    after: Sequence[pulumi.Resource]
    cluster: pulumi.Resource


def gate_options(
    parent: pulumi.Resource, cluster: pulumi.Resource, after: Sequence[pulumi.Resource]
) -> pulumi.ResourceOptions:
    """Options of the gate itself. `after` must hold the Kubernetes provider: the old CNI is deleted with it."""
    return pulumi.ResourceOptions(
        parent=parent,
        depends_on=list(after),
        # The old CNI has to be gone before the nodes are cleaned: with the default order (create, then delete) the
        # clean-up would run under a live CNI, and the old one's deletion would come after the new one's start.
        delete_before_replace=True,
        # A destroy takes the whole cluster; undoing a migration first could only fail halfway.
        deleted_with=cluster,
    )


def shut(options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """The options of a gate that a migration leaves alone. It has to stay in the state: a later one takes the CNI down
    by it."""
    return pulumi.ResourceOptions.merge(
        options,
        # With new triggers it would be replaced, and the old CNI taken from under nodes that have not moved.
        pulumi.ResourceOptions(ignore_changes=["create", "environment", "triggers"]),
    )


def gated(parent: pulumi.Resource, gate: Gate, provider: pulumi.ProviderResource) -> pulumi.ResourceOptions:
    """Options of everything that lives in the cluster for one migration: the CNI, the probes."""
    return pulumi.ResourceOptions(
        parent=parent,
        provider=provider,
        depends_on=[gate.resource, *gate.after],
        # When the gate is replaced, so is this: without it the old CNI would stay while its nodes are cleaned.
        replace_with=[gate.resource],
        # Two CNIs must not be on a node at once, and names in the cluster are fixed: the old goes first.
        delete_before_replace=True,
        # A destroy deletes the cluster as a whole; one by one, the CNI would go under Pods that still terminate.
        deleted_with=gate.cluster,
    )
