"""Marks the migration of this stack with this epoch as finished, and bolts the door: from now on the CNI's objects go
only in a migration. Fails where somebody else owns the cluster by now."""

from __future__ import annotations

from dataclasses import dataclass

from steps import bolt, marker
from steps.doors.kubectl import cluster
from steps.names import MARKER, SYSTEM
from steps.running import StepError, main


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The cluster, and the claim that is done."""

    cluster: str
    stack: str
    epoch: str


def settle(needs: Needs) -> None:
    """The marker is in phase `ready`, nobody holds it, and the bolt is shot."""
    with cluster(needs.cluster) as kubectl:
        found = marker.find(kubectl) or marker.Found(version="", data={})
        owner, ours = f"{found.field('stack')}/{found.field('epoch')}", f"{needs.stack}/{needs.epoch}"
        if owner != ours:
            raise StepError(f"cluster {needs.cluster} is owned by {owner} by now, not by {ours}")
        # The tests make it a compare-and-swap: it fails if the marker changes hands between the look and the patch.
        patch = [
            {"op": "test", "path": "/data/stack", "value": needs.stack},
            {"op": "test", "path": "/data/epoch", "value": needs.epoch},
            {"op": "replace", "path": "/data/phase", "value": "ready"},
            {"op": "replace", "path": "/data/holder", "value": ""},
        ]
        kubectl.patch("configmap", MARKER, patch, namespace=SYSTEM, form="json")
        try:
            bolt.shoot(kubectl)
        except StepError as error:
            raise StepError(
                f"the migration is done, but the CNI's objects could not be secured against a deletion: {error}"
            ) from error


if __name__ == "__main__":
    main(Needs, settle)
