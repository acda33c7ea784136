"""The migration itself as a benchmark, by each way in turn. bench/compare.py measures it. Pure but for the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import facts, results
from bench.ratios import Interval, interval
from bench.results import SCHEMA, Migration, Results, ResultsError, Run

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


def begin(path: Path, about: Run) -> int:
    """The round that is next in the file, which is begun where it is not there. A round that was cut off is measured
    again as a whole, since its halves would be of two times. Raises ResultsError where the file's rounds are of another
    machine, other tools, ways or networks."""
    if not path.exists():
        results.begin(path, about)
    results.mend(path)
    before = results.load(path)
    if wrong := facts.differences(before.run, about):
        raise ResultsError(
            f"{path} was begun on something else, and its rounds would not be comparable; move it away, or set that "
            f"back: {'; '.join(wrong)}"
        )
    return 1 + max((one.number for one in before.migrations), default=-1)


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


def about(ways: Sequence[str], network: Mapping[str, Any]) -> Run:
    """What a comparison of these ways says of itself; `network` is the one that is migrated to."""
    return Run(
        schema=SCHEMA,
        mode="migration",
        pairs=0,
        seed=0,
        indicative=True,
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        project=facts.project(),
        settings={"ways": [*ways]},
        machine=facts.machine(),
        versions=facts.tools(),
        clusters={"cilium": network},
    )
