"""What a rollback brings back: the owner that there was before the `up` which is undone, by what was written down then
and by the marker, never by a guess. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.apply_before import Before, owner_of
from plan.ownership import Marker, Owner


@dataclass(frozen=True, kw_only=True)
class Back:
    """`to` is whom to bring back, None where nothing is to be done. `why` is the sentence for the user. `failed`: there
    is something to undo, and this is not the way."""

    to: Owner | None
    why: str
    failed: bool = False


def choose(undone: str, before: Before | None, now: Marker | None) -> Back:
    """`undone` is the stack whose `up` is to be undone, `before` the note of that `up`, where there is one; `now` is
    the marker."""
    owner = owner_of(now)
    if now is None or owner is None:
        return _no("nobody owns the cluster, so there is no owner before to go back to")
    if before is not None and before.generation and before.generation != now.generation:
        return _no("the cluster is another one by now than the note was written for; nothing was done")
    if owner.stack != undone:
        return _of_another(undone, owner, finished=now.finished)
    to, by = _before(before, now, owner)
    if to is None:
        return _no(f"no owner of the cluster before is known ({by}); bring one up by its name: pipeline/apply.sh STACK")
    if to == owner:
        return _no(
            f"stack {owner.stack} with {owner.cni} owned the cluster before as well: what changed is its settings; "
            "revert the commit that changed them, and apply that"
        )
    return Back(to=to, why=f"stack {to.stack} with {to.cni} owned the cluster before ({by})")


def _no(why: str) -> Back:
    return Back(to=None, why=why, failed=True)


def _of_another(undone: str, owner: Owner, *, finished: bool) -> Back:
    """The stack that is to be undone does not own the cluster: its claim never came, or it is undone already, wholly or
    in part."""
    if finished:
        return Back(
            to=None, why=f"stack {undone} does not own the cluster: stack {owner.stack} has it, with {owner.cni}"
        )
    return Back(
        to=owner,
        why=f"stack {owner.stack} has begun to take the cluster to {owner.cni} and has not ended: it goes on",
    )


def _before(before: Before | None, now: Marker, owner: Owner) -> tuple[Owner | None, str]:
    """Who owned it before, and who says so."""
    if before is None:
        return now.previous, "says the marker"
    if before.owner == owner and not before.finished:
        # That `up` went on with a migration that had begun before it; who had the cluster before that is meant.
        return now.previous, "says the marker, of before the migration began"
    return before.owner, "says the note of the up"
