"""Leaves a migration by nodes where it is, for minutes or days: says in the marker which nodes have moved, and lets go
of it, so that the same stack may go on and another take the cluster back. The phase stays `migrating`. Bolts the door
meanwhile, for the objects of both CNIs. Prints where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from steps import bolt, marker
from steps.doors.kubectl import cluster
from steps.names import MARKER, SYSTEM
from steps.running import StepError, main


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The claim; `moved` are the nodes that have the new CNI, `pending` those that have not. `leg` is the one that ends
    here."""

    cluster: str
    stack: str
    epoch: str
    moved: tuple[str, ...]
    pending: tuple[str, ...]
    leg: int


def pause(needs: Needs) -> str:
    """`1 of 3 nodes`. Raises StepError where somebody else owns the cluster by now."""
    with cluster(needs.cluster) as kubectl:
        found = marker.find(kubectl) or marker.Found(version="", data={})
        owner, ours = f"{found.field('stack')}/{found.field('epoch')}", f"{needs.stack}/{needs.epoch}"
        if owner != ours:
            raise StepError(f"cluster {needs.cluster} is owned by {owner} by now, not by {ours}")
        # The tests make it a compare-and-swap: it fails if the marker changes hands between the look and the patch.
        patch = [
            {"op": "test", "path": "/data/stack", "value": needs.stack},
            {"op": "test", "path": "/data/epoch", "value": needs.epoch},
            {"op": "test", "path": "/data/phase", "value": "migrating"},
            {"op": "add", "path": "/data/moved", "value": " ".join(needs.moved)},
            # A number of its own and not one more than there was: this step may run twice.
            {"op": "add", "path": "/data/leg", "value": str(needs.leg + 1)},
            {"op": "replace", "path": "/data/holder", "value": ""},
        ]
        kubectl.patch("configmap", MARKER, patch, namespace=SYSTEM, form="json")
        try:
            bolt.shoot(kubectl)
        except StepError as error:
            raise StepError(
                f"the migration is paused, but the CNIs' objects could not be secured against a deletion: {error}"
            ) from error
    return f"{len(needs.moved)} of {len(needs.moved) + len(needs.pending)} nodes"


if __name__ == "__main__":
    main(Needs, pause)
