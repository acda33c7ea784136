"""Who owns the cluster: the marker, and what an `up` of this stack will write into it.

The marker is the ConfigMap kube-system/cni-migration. It is read while the program plans and claimed by steps/claim.py
with a compare-and-swap on its resourceVersion. Its epoch counts claims: it grows by one whenever another stack, or
another CNI of the same stack, takes over; whatever has to happen once a take-over has the epoch among its triggers.
Pure: no Pulumi, no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plan.marker import MARKER_NAME, NOT_PAUSED, Marker, Owner, Progress, UnknownStrategyError, marker_from
from settings.strategy import RECREATE, Strategy

__all__ = [
    "MARKER_NAME",
    "Claim",
    "Marker",
    "Owner",
    "Progress",
    "UnknownStrategyError",
    "describe",
    "marker_from",
    "plan_claim",
]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What this stack's `up` will have written when it is done. Equal to the marker's when there is nothing to do.
    `due` is whether there is something to do: a migration to begin, or one to go on with. `interrupts` is whether that
    takes a network down which may be serving: not in a new cluster, nor where an unfinished migration has done it.
    `previous` is who owned the cluster before, `progress` where this claim was paused last."""

    stack: str
    cni: str
    generation: str
    epoch: int
    strategy: Strategy
    due: bool
    interrupts: bool = False
    previous: Owner | None = None
    progress: Progress = NOT_PAUSED

    @property
    def triggers(self) -> list[str]:
        """What makes a step of a migration run again: another life of the cluster, another claim, another CNI."""
        return [self.generation, str(self.epoch), self.cni]

    def facts(self) -> dict[str, str]:
        """What the steps that measure are told besides, as variables of their environment."""
        return {**self.strategy.facts(), "GENERATION": self.generation, "DUE": str(self.due).lower()}


def plan_claim(
    marker: Marker | None, stack: str, cni: str, asked: Strategy, now: datetime, *, exists: bool = True
) -> Claim:
    """The claim of `stack` for `cni`: the marker's own epoch while it is ours and says the same, else the next one.

    A cluster without a marker (there is none yet, or nobody claimed it) gets a generation of its own, from `now`:
    a stack whose state is from an earlier cluster of the same name then sees a change in every trigger.
    """
    if marker is None:
        first = asked if exists else RECREATE
        generation = now.strftime("%Y%m%dT%H%M%S")
        down = exists and first.takes_network_down
        return Claim(stack=stack, cni=cni, generation=generation, epoch=1, strategy=first, due=True, interrupts=down)
    same = (marker.stack, marker.cni) == (stack, cni)
    strategy = _strategy(marker, asked, same=same)
    # Another strategy on the way is another migration: each of its steps has to run.
    goes_on = same and strategy == marker.strategy
    return Claim(
        stack=stack,
        cni=cni,
        generation=marker.generation,
        epoch=marker.epoch if goes_on else marker.epoch + 1,
        strategy=strategy,
        due=not (goes_on and marker.finished),
        interrupts=strategy.takes_network_down and not goes_on and not _is_down(marker),
        previous=marker.previous if same else _owner(marker),
        progress=marker.progress if goes_on else NOT_PAUSED,
    )


def _is_down(marker: Marker) -> bool:
    """Whether an unfinished migration has taken the network down already."""
    return not marker.finished and marker.strategy.takes_network_down


def _owner(marker: Marker) -> Owner | None:
    """Who has claimed the cluster so far: whoever has only made it has not."""
    return Owner(stack=marker.stack, cni=marker.cni) if marker.stack and marker.cni not in ("", "none") else None


def _strategy(marker: Marker, asked: Strategy, *, same: bool) -> Strategy:
    """`asked`, but for two cases: a cluster that is as it should be keeps the steps it came by (to ask for another
    strategy moves nothing by itself), and where the network was taken down no node is left to move by itself."""
    if marker.finished:
        return marker.strategy if same else asked
    return marker.strategy if _is_down(marker) else asked


def describe(marker: Marker | None, claim: Claim, cluster: str, exists: bool) -> str:
    """One sentence for the preview: who owns the cluster now, which CNI runs, and what this stack makes of it."""
    wanted = f"stack {claim.stack} will own it with {claim.cni} (epoch {claim.epoch}, strategy {claim.strategy.name})"
    if not exists:
        return f"cluster {cluster}: there is none; it will be created, and {wanted}"
    if marker is None:
        return f"cluster {cluster}: it exists and nobody has claimed it; it will be adopted, and {wanted}"
    now = f"owned by stack {marker.stack} with {marker.cni} (epoch {marker.epoch}, {marker.phase})"
    if marker.epoch == claim.epoch:
        unfinished = (
            "" if marker.finished or claim.progress.paused else "; its migration is not finished and will go on"
        )
        return f"cluster {cluster}: {now}{unfinished}"
    return f"cluster {cluster}: {now}; {wanted}"
