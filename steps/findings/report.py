"""The report of what a migration interrupted, and how the stack's output shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What became of the requests of one kind: counts, and times in ms. `failures` are of new connections; `starved_ms`
    is the most that a gap was shortened by, since who asked or who was asked had no CPU then; `unheard` requests are no
    failures for the same reason."""

    requests: int = 0
    failures: int = 0
    longest_gap_ms: int = 0
    starved_ms: int = 0
    unheard: int = 0
    slowest_ms: int = 0
    connections_broken: int = 0

    def as_json(self) -> dict[str, Any]:
        """Times in seconds, to the millisecond."""
        return {
            "requests": self.requests,
            "failures": self.failures,
            "longestGapSeconds": round(self.longest_gap_ms / 1000, 3),
            "starvedSeconds": round(self.starved_ms / 1000, 3),
            "starvedRequests": self.unheard,
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
            "step": plain(self.name),
            "seconds": round(self.duration_ms / 1000, 1),
            "kinds": {name: kind.as_json() for name, kind in self.kinds.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was interrupted. `why` is what was beyond the budget, and why too little was measured; empty otherwise.
    `within_budget` is None where nobody can say. `total` is of all kinds and steps, `kinds` of all steps; `held` are
    the connections that stay open by their class, an echo for a request; `pods` is what became of those that ran when
    it began, `outside` what somebody outside of the cluster saw; `basis` says how much it rests on."""

    measured: bool
    strategy: str
    within_budget: bool | None
    why: str
    total: Kind = Kind()
    kinds: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    steps: Sequence[Step] = ()
    held: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    pods: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outside: Mapping[str, Any] = field(default_factory=dict[str, Any])
    basis: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """The report as the stack's output shows it."""
        if not self.measured:
            unmeasured = {"measured": False, "withinBudget": self.within_budget, "why": plain(self.why)}
            return unmeasured | ({"basis": dict(self.basis)} if self.basis else {})
        return {
            "measured": True,
            "strategy": plain(self.strategy),
            "withinBudget": self.within_budget,
            "why": plain(self.why),
            **self.total.as_json(),
            "kinds": {name: kind.as_json() for name, kind in self.kinds.items()},
            "held": {
                name: {
                    "echoes": kind.requests,
                    "connectionsBroken": kind.connections_broken,
                    "longestGapSeconds": round(kind.longest_gap_ms / 1000, 3),
                }
                for name, kind in self.held.items()
            },
            **({"pods": dict(self.pods)} if self.pods else {}),
            **({"outside": dict(self.outside)} if self.outside else {}),
            "steps": [step.as_json() for step in self.steps],
            "basis": dict(self.basis),
        }


def plain(text: str) -> str:
    """No quote and no backslash, so that a reader of the line needs no JSON parser to find where a text ends."""
    return text.replace('"', "'").replace("\\", "'")
