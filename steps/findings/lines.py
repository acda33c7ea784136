"""The lines of a recording, as steps/on_node/recording.sh and the probers write them. Pure.

A line is `<ms> step <name>`, or `<ms> <prober> <kind> <target> <outcome> <duration ms>`, where <ms> is when the answer
came or the failure was certain.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from sys import intern
from typing import NamedTuple


class Mark(NamedTuple):
    """A step of the migration begins."""

    ms: int
    name: str


class Outcome(NamedTuple):
    """What became of a request, or a prober's own line."""

    ms: int
    prober: str
    kind: str
    target: str
    outcome: str
    duration: int


def in_order(lines: Iterable[str]) -> list[Mark | Outcome]:
    """The lines by their time; those that are not whole are passed over."""
    return sorted(filter(None, map(_entry, lines)), key=itemgetter(0))


def _entry(line: str) -> Mark | Outcome | None:
    """A line's content; None where it is not whole: a prober that is killed leaves half a line behind."""
    words = line.split()
    try:
        if len(words) > 2 and words[1] == "step":
            return Mark(int(words[0]), line.rstrip("\r\n").partition(" step ")[2])
        if len(words) == 6:
            # The words are few and the lines many.
            prober, kind, target, outcome = map(intern, words[1:5])
            return Outcome(int(words[0]), prober, kind, target, outcome, int(words[5]))
    except ValueError:
        pass
    return None
