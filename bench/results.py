"""A benchmark's results: JSON lines, one run first and then a line a pair, as soon as it is measured.

So an interrupted benchmark goes on behind its last pair, and everything is rendered again without measuring. The shapes
are in bench/shapes.py; a field more or less is an error, since a figure nobody understands is none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar, cast

from bench.shapes import SCHEMA, Comparison, Failure, Measure, Migration, Pair, Results, Run, Seen

__all__ = ["SCHEMA", "Comparison", "Failure", "Measure", "Migration", "Pair", "Results", "ResultsError", "Run", "Seen"]
Shape = TypeVar("Shape")
Item = Pair | Failure | Migration
KINDS: Mapping[type[Item], str] = {Pair: "pair", Failure: "failure", Migration: "migration"}


class ResultsError(Exception):
    """A file of results that cannot be used, as the sentence that the user reads."""


def begin(path: Path, run: Run) -> None:
    """A new file with the run in it. Raises FileExistsError where there is one: results are not written over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x") as file:
        file.write(_line("run", run))


def append(path: Path, item: Item) -> None:
    """One line more, on disk when this returns."""
    with path.open("a") as file:
        file.write(_line(KINDS[type(item)], item))
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
    found: dict[type[Item], list[Any]] = {shape: [] for shape in KINDS}
    for number, line in enumerate(lines, 1):
        try:
            item = cast("dict[str, Any]", json.loads(line))
            kind = item.pop("kind")
            if kind == "run":
                runs.append(_shape(Run, item))
                continue
            if kind == "pair":
                one, two = (_shape(Measure, measure) for measure in item.pop("measures"))
                item["measures"] = (one, two)
            if kind == "migration":
                item["seen"] = _shape(Seen, item.pop("seen"))
            shape = next((shape for shape, name in KINDS.items() if name == kind), None)
            if shape is None:
                raise ValueError(f"{kind!r} is no kind of line")
            found[shape].append(_shape(shape, item))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ResultsError(f"{path}:{number} is no line of results: {error}") from error
    if len(runs) != 1 or runs[0].schema != SCHEMA:
        raise ResultsError(f"{path} does not hold one run of schema {SCHEMA}")
    return Results(run=runs[0], pairs=found[Pair], failures=found[Failure], migrations=found[Migration])


def _line(kind: str, item: Run | Item) -> str:
    return json.dumps({"kind": kind, **asdict(item)}, ensure_ascii=False, allow_nan=False) + "\n"


def _shape(shape: type[Shape], item: Mapping[str, Any]) -> Shape:
    names = {field.name for field in fields(shape)}  # pyright: ignore[reportArgumentType]
    if names != set(item):
        raise ValueError(f"{shape.__name__} has {sorted(names ^ set(item))} more or less than it should")
    return shape(**item)
