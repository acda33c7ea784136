"""What a migration interrupted, from the recording of its probers, judged by the budget. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steps.findings.recording import KINDS, Recording, Tally


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What became of the requests of one kind: counts, and times in ms. `failures` are of new connections."""

    requests: int = 0
    failures: int = 0
    longest_gap_ms: int = 0
    slowest_ms: int = 0
    connections_broken: int = 0

    def as_json(self) -> dict[str, Any]:
        """Times in seconds, to the millisecond."""
        return {
            "requests": self.requests,
            "failures": self.failures,
            "longestGapSeconds": round(self.longest_gap_ms / 1000, 3),
            "slowestSeconds": round(self.slowest_ms / 1000, 3),
            "connectionsBroken": self.connections_broken,
        }


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the migration: how long it lasted in ms, and every kind of KINDS."""

    name: str
    duration_ms: int
    kinds: Mapping[str, Kind]

    def as_json(self) -> dict[str, Any]:
        """The duration in seconds, to a tenth."""
        return {
            "step": _plain(self.name),
            "seconds": round(self.duration_ms / 1000, 1),
            "kinds": {name: kind.as_json() for name, kind in self.kinds.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was interrupted. `why` is what was beyond the budget, or why nothing was measured; empty otherwise. `total`
    is of all kinds and steps, `kinds` of all steps."""

    measured: bool
    strategy: str
    within_budget: bool
    why: str
    total: Kind
    kinds: Mapping[str, Kind]
    steps: Sequence[Step]

    def as_json(self) -> dict[str, Any]:
        """The report as the stack's output shows it."""
        if not self.measured:
            return {"measured": False, "why": _plain(self.why)}
        return {
            "measured": True,
            "strategy": _plain(self.strategy),
            "withinBudget": self.within_budget,
            "why": _plain(self.why),
            **self.total.as_json(),
            "kinds": {name: kind.as_json() for name, kind in self.kinds.items()},
            "steps": [step.as_json() for step in self.steps],
        }


def report_of(lines: Iterable[str], *, strategy: str, max_failures: int, max_gap_ms: int) -> Report:
    """Counts a recording's lines, in any order, and holds them against the budget: failures of new connections, and the
    longest gap in ms. `strategy` is only shown."""
    recording = Recording(lines)
    steps = [
        Step(
            name=name,
            duration_ms=recording.duration(index),
            kinds={kind: _kind(recording.tally(index, kind)) for kind in KINDS},
        )
        for index, name in enumerate(recording.names)
    ]
    kinds = {kind: _sum([step.kinds[kind] for step in steps]) for kind in KINDS}
    total = _sum(list(kinds.values()))
    why = [*_failures(recording, total, max_failures), *_gap(steps, total, max_gap_ms)]
    if not total.requests:
        why = ["no request was recorded"]
    return Report(
        measured=total.requests > 0,
        strategy=strategy,
        within_budget=not why,
        why="; ".join(why),
        total=total,
        kinds=kinds,
        steps=tuple(steps),
    )


def _failures(recording: Recording, total: Kind, budget: int) -> list[str]:
    if total.failures <= budget:
        return []
    where = [
        f"{tally.failures} {kind} in {name}: {', '.join(tally.causes)}"
        for index, name in enumerate(recording.names)
        for kind in KINDS
        if (tally := recording.tally(index, kind)).failures
    ]
    counts = f"{total.failures} of {total.requests} new connections failed ({', '.join(where)})"
    return [f"{counts}, and the budget is {budget}"]


def _gap(steps: Sequence[Step], total: Kind, budget: int) -> list[str]:
    longest = total.longest_gap_ms
    if longest <= budget:
        return []
    where = next(f"{kind} in {at.name}" for at in steps for kind in KINDS if at.kinds[kind].longest_gap_ms == longest)
    return [f"the longest gap was {longest / 1000:.3f} s ({where}), and the budget is {budget / 1000:.3f} s"]


def _kind(tally: Tally) -> Kind:
    return Kind(
        requests=tally.requests,
        failures=tally.failures,
        longest_gap_ms=tally.longest_gap,
        slowest_ms=tally.slowest,
        connections_broken=tally.broken,
    )


def _sum(kinds: Sequence[Kind]) -> Kind:
    return Kind(
        requests=sum(kind.requests for kind in kinds),
        failures=sum(kind.failures for kind in kinds),
        longest_gap_ms=max((kind.longest_gap_ms for kind in kinds), default=0),
        slowest_ms=max((kind.slowest_ms for kind in kinds), default=0),
        connections_broken=sum(kind.connections_broken for kind in kinds),
    )


def _plain(text: str) -> str:
    """No quote and no backslash, so that a reader of the line needs no JSON parser to find where a text ends."""
    return text.replace('"', "'").replace("\\", "'")
