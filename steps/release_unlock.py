"""Removes Helm's records of a release: `all` (before an install: no state knows them) or `pending` (before an upgrade:
only those of an operation that was cut off). Objects of the release stay."""

from __future__ import annotations

from dataclasses import dataclass

from steps.doors.kubectl import cluster
from steps.running import StepError, main

# What is added to the selector of the records.
_SELECTORS = {"all": "", "pending": ",status in (pending-install,pending-upgrade,pending-rollback)"}


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`records` is `all` or `pending`."""

    cluster: str
    release: str
    namespace: str
    records: str


def unlock(needs: Needs) -> None:
    """The records are gone. A program may call it, too: it raises StepError and ends nothing."""
    if needs.records not in _SELECTORS:
        raise StepError(f"RECORDS={needs.records!r} is none of {', '.join(_SELECTORS)}")
    selector = f"owner=helm,name={needs.release}{_SELECTORS[needs.records]}"
    with cluster(needs.cluster) as kubectl:
        kubectl.delete("secrets", f"--namespace={needs.namespace}", f"--selector={selector}")


if __name__ == "__main__":
    main(Needs, unlock)
