"""A benchmark's results: JSON lines, one run first and then a pair a line, as soon as it is measured.

So an interrupted benchmark goes on behind its last pair, and everything is rendered again without measuring. The shapes
are the dataclasses below; a field more or less is an error, since a figure nobody understands is none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from bench.order import Side

SCHEMA = 1
Comparison = Literal["pair", "control"]
Shape = TypeVar("Shape")


class ResultsError(Exception):
    """A file of results that cannot be used, as the sentence that the user reads."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that is needed to repeat it. `settings` are the benchmark's own (seconds, rates, limits), `clusters` what
    each side is (nodes, image, CNI, MTU), `versions` of tools, `machine` its kernel, processors and memory.
    `indicative` where there are too few pairs to say more."""

    schema: int
    mode: str
    pairs: int
    seed: int
    indicative: bool
    began: str
    settings: Mapping[str, Any]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    clusters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measurement of one cluster. `values` by name, each in the unit its name says; `steal` is the part of the
    machine's time that its host took away meanwhile, from 0 to 1."""

    side: Side
    began: str
    seconds: float
    steal: float
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two measurements of `test`, in the order in which they were made. Of a control both are of one cluster, and
    `numerator` (0 or 1) is drawn; of a pair it is Cilium's. `kept` is false where the host stole too much and it was
    measured again; `attempt` counts from 1. Where the last attempt was no better it is kept, and `stolen`."""

    turn: int
    test: str
    comparison: Comparison
    numerator: int
    measures: tuple[Measure, Measure]
    attempt: int
    kept: bool
    stolen: bool

    def ratios(self) -> dict[str, float]:
        """Each value that both have, as a ratio; the metric is TEST/VALUE."""
        above, below = self.measures[self.numerator].values, self.measures[1 - self.numerator].values
        return {f"{self.test}/{name}": above[name] / below[name] for name in above if name in below}


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a file holds."""

    run: Run
    pairs: Sequence[Pair]

    def done(self) -> set[tuple[int, str, Comparison]]:
        """The turn, test and comparison of what is measured for good."""
        return {(pair.turn, pair.test, pair.comparison) for pair in self.pairs if pair.kept}


def begin(path: Path, run: Run) -> None:
    """A new file with the run in it. Raises FileExistsError where there is one: results are not written over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x") as file:
        file.write(_line("run", run))


def append(path: Path, pair: Pair) -> None:
    """One pair more, on disk when this returns."""
    with path.open("a") as file:
        file.write(_line("pair", pair))
        file.flush()
        os.fsync(file.fileno())


def mend(path: Path) -> None:
    """Drops a last line that was cut off while it was written: what comes behind it would be unreadable."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole != len(data):
        with path.open("r+b") as file:
            file.truncate(whole)


def load(path: Path) -> Results:
    """The results in a file. Raises ResultsError where it is not there, or not of this shape."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}") from error
    runs: list[Run] = []
    pairs: list[Pair] = []
    for number, line in enumerate(lines, 1):
        try:
            item = cast("dict[str, Any]", json.loads(line))
            kind = item.pop("kind")
            if kind == "run":
                runs.append(_shape(Run, item))
            elif kind == "pair":
                one, two = (_shape(Measure, measure) for measure in item.pop("measures"))
                pairs.append(_shape(Pair, {**item, "measures": (one, two)}))
            else:
                raise ValueError(f"{kind!r} is no kind of line")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ResultsError(f"{path}:{number} is no line of results: {error}") from error
    if len(runs) != 1 or runs[0].schema != SCHEMA:
        raise ResultsError(f"{path} does not hold one run of schema {SCHEMA}")
    return Results(run=runs[0], pairs=pairs)


def _line(kind: str, item: Run | Pair) -> str:
    return json.dumps({"kind": kind, **asdict(item)}, ensure_ascii=False, allow_nan=False) + "\n"


def _shape(shape: type[Shape], item: Mapping[str, Any]) -> Shape:
    names = {field.name for field in fields(shape)}  # pyright: ignore[reportArgumentType]
    if names != set(item):
        raise ValueError(f"{shape.__name__} has {sorted(names ^ set(item))} more or less than it should")
    return shape(**item)
