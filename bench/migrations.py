"""The migration itself as a benchmark: `pulumi up` against the same by hand. bench/compare.sh measures it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bench import facts, results
from bench.results import SCHEMA, Migration, Run

# With fewer pairs the interval says little.
ENOUGH = 8


def add(
    path: Path, *, strategy: str, pairs: int, engine: float, hand: float, first: Literal["engine", "hand"]
) -> Migration:
    """One pair more at the end of the file, which is begun where it is not there. Raises ValueError where a time is
    none that a ratio can be made of: a migration that failed has no duration."""
    if not (engine > 0 and hand > 0):
        raise ValueError(f"{engine} s and {hand} s are no durations of two migrations")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if not path.exists():
        results.begin(path, _run(pairs, now))
    results.mend(path)
    number = len(results.load(path).migrations)
    found = Migration(
        number=number, strategy=strategy, began=now, engine_seconds=engine, hand_seconds=hand, first=first
    )
    results.append(path, found)
    return found


def _run(pairs: int, now: str) -> Run:
    return Run(
        schema=SCHEMA,
        mode="migration",
        pairs=pairs,
        seed=0,
        indicative=pairs < ENOUGH,
        began=now,
        settings={},
        machine=facts.machine(),
        versions=facts.tools(),
        clusters={},
    )
