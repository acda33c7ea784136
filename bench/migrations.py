"""The migration itself as a benchmark, by each way in turn. bench/compare.py measures it. Pure but for the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import facts, results
from bench.ratios import Interval, interval
from bench.results import SCHEMA, Migration, Results, Run

BY_HAND = "by hand"
# With fewer rounds an interval says little.
ENOUGH = 8


@dataclass(frozen=True, kw_only=True)
class Way:
    """All migrations by one way: their number, the seconds of each in the order of the rounds, what was noticed of
    them in all, and the time over that by hand in the same round (None where nothing was done by hand)."""

    name: str
    seconds: Sequence[float]
    requests: int
    failures: int
    gaps: Sequence[float]
    ratio: Interval | None


def order(ways: Sequence[str], number: int) -> Sequence[str]:
    """The ways of one round: each comes first, second … equally often."""
    first = number % len(ways)
    return [*ways[first:], *ways[:first]]


def begin(path: Path, rounds: int) -> int:
    """The round that is next in the file, which is begun where it is not there. A round that was cut off is measured
    again as a whole, since its halves would be of two times."""
    if not path.exists():
        results.begin(path, _run(rounds))
    results.mend(path)
    return 1 + max((one.number for one in results.load(path).migrations), default=-1)


def ways(found: Results) -> Sequence[Way]:
    """Each way, by hand first."""
    by_way: Mapping[str, dict[int, Migration]] = defaultdict(dict)
    for one in found.migrations:
        by_way[one.way][one.number] = one
    hand = by_way.get(BY_HAND, {})
    return [_way(name, by_way[name], hand) for name in sorted(by_way, key=lambda name: (name != BY_HAND, name))]


def _way(name: str, rounds: Mapping[int, Migration], hand: Mapping[int, Migration]) -> Way:
    ones = [rounds[number] for number in sorted(rounds)]
    ratios = [rounds[number].seconds / hand[number].seconds for number in sorted(rounds) if number in hand]
    return Way(
        name=name,
        seconds=[one.seconds for one in ones],
        requests=sum(one.seen.requests for one in ones),
        failures=sum(one.seen.failures for one in ones),
        gaps=[one.seen.longest_gap_seconds for one in ones],
        ratio=interval(ratios) if ratios and name != BY_HAND else None,
    )


def _run(rounds: int) -> Run:
    return Run(
        schema=SCHEMA,
        mode="migration",
        pairs=rounds,
        seed=0,
        indicative=rounds < ENOUGH,
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        settings={},
        machine=facts.machine(),
        versions=facts.tools(),
        clusters={},
    )
