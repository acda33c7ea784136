"""Says in what state a rollback has ended, by the marker: python -m pipeline.rollback_ended STACK CNI CLUSTER.

Exits 1 where that is not what was to be brought back.
"""

from __future__ import annotations

import sys

from pipeline.apply_before import look, owner_of
from plan.observation import ObservationError
from plan.ownership import Marker, Owner


def ended(wanted: Owner, now: Marker | None) -> tuple[str, bool]:
    """The sentence, and whether `wanted` has the cluster and its migration has ended."""
    owner = owner_of(now)
    if now is None or owner is None:
        return "nobody owns the cluster", False
    if owner != wanted:
        return f"stack {owner.stack} still owns the cluster, with {owner.cni} ({now.phase})", False
    if not now.finished:
        again = f"run it again, or `pulumi up --stack {wanted.stack}`"
        return f"stack {wanted.stack} has the cluster and is not done with the way to {wanted.cni}; {again}", False
    return f"stack {wanted.stack} has the cluster back, with {wanted.cni}, and has verified it", True


def main(stack: str, cni: str, cluster: str) -> None:
    """The sentence on stderr."""
    try:
        said, well = ended(Owner(stack=stack, cni=cni), look(cluster))
    except ObservationError as error:
        sys.exit(f"rollback: in what state it ended cannot be seen: {error}")
    print(f"rollback: {said}", file=sys.stderr)
    if not well:
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
