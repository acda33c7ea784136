"""Deletes the Kind cluster if the marker in it names this stack as its owner; otherwise leaves it alone and says
why."""

from __future__ import annotations

from dataclasses import dataclass

from steps import creation
from steps.doors import kind, outside
from steps.running import StepError, main, say


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The cluster, and the stack that is destroyed."""

    cluster: str
    stack: str


def cluster_down(needs: Needs) -> None:
    """The cluster is gone, or is somebody else's. Raises StepError where that cannot be seen."""
    cluster = needs.cluster
    with creation.alone(cluster):
        note = creation.read(cluster)
        creating = note is not None and creation.under_way(note)
        found = creation.look(cluster, note)
        if not found.listed:
            say(f"cluster {cluster} is gone already")
            if not creating:
                outside.remove(cluster)
                creation.remove(cluster)
            return
        if creating:
            raise StepError(f"an up is creating cluster {cluster} right now; wait for it to end")
        owner = _owner(needs, note, found)
        if owner != needs.stack:
            named = f"stack {owner}" if owner else "nobody"
            say(f"cluster {cluster} is left as it is: it is owned by {named}, not by stack {needs.stack}")
            return
        outside.remove(cluster)
        kind.delete(cluster)
        creation.remove(cluster)


def _owner(needs: Needs, note: creation.Note | None, found: creation.Look) -> str:
    if found.marker is not None:
        return found.marker.field("stack")
    # Its creation was cut off, in this folder: it has no marker yet and is nobody else's.
    if note is not None and (creation.is_wreck(note, found) or (found.answers and found.ours)):
        return needs.stack
    if found.answers:
        return ""
    raise StepError(
        f"cluster {needs.cluster} does not answer, so its owner cannot be read and it is left alone. Start it (docker "
        f"start) and run destroy again, or remove it by hand: kind delete cluster --name {needs.cluster} "
        f"({found.why})"
    )


if __name__ == "__main__":
    main(Needs, cluster_down)
