"""How far this `up` goes: to the end, or to the number of nodes behind which the user wants to pause. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plan.ownership import Claim
from settings.migration import MigrationSettings


@dataclass(frozen=True, kw_only=True)
class Stage:
    """`groups` are the nodes that have the new CNI when this `up` is done, a group of those that move side by side;
    `pending` are those that have the old one still, none where the migration ends. `leg` counts the pauses before this
    `up`: what is measured once a leg has it among its triggers."""

    groups: Sequence[Sequence[str]]
    pending: tuple[str, ...] = ()
    leg: int = 0

    @property
    def moved(self) -> tuple[str, ...]:
        """The nodes of the groups, in their order."""
        return tuple(node for group in self.groups for node in group)

    @property
    def again(self) -> list[str]:
        """What makes a step run once more in a later leg; nothing in a migration that was never paused."""
        return [f"leg {self.leg}"] if self.leg else []


def stage_of(claim: Claim, migration: MigrationSettings) -> Stage:
    """How far the claim is to come.

    Nodes that have moved stay moved, whatever the settings say by now: a smaller number, or another order, moves none
    back and leaves none out. A migration that stands where it is to stand is in the leg that brought it there."""
    progress, groups = claim.progress, migration.move_groups
    if not (claim.due and claim.strategy.pauses and migration.pause_after):
        return Stage(groups=groups, leg=progress.leg)
    order = [node for group in groups for node in group]
    moved = [node for node in order if node in progress.moved]
    rest = [[node for node in group if node not in moved] for group in groups]
    count = max(migration.pause_after, len(moved))
    wanted = [*moved, *(node for group in rest for node in group)][:count]
    stands = progress.paused and count == len(moved)
    return Stage(
        groups=[group for group in (moved, *([n for n in group if n in wanted] for group in rest)) if group],
        pending=tuple(node for node in order if node not in wanted),
        leg=progress.leg - 1 if stands else progress.leg,
    )


def standing(claim: Claim, stage: Stage) -> str:
    """The end of the preview's sentence: where a paused migration stands, and how far this `up` takes it."""
    total = len(stage.moved) + len(stage.pending)
    goal = f"pause after {len(stage.moved)} of {total} nodes" if stage.pending else "go on to the end"
    if not claim.progress.paused:
        return f"; it will {goal}" if stage.pending else ""
    now = len(set(claim.progress.moved) & {*stage.moved, *stage.pending})
    stays = bool(stage.pending) and now == len(stage.moved)
    then = "this up leaves it there" if stays else f"this up will {goal}"
    return f"; its migration is paused: {now} of {total} nodes have moved; {then}"
