"""A recording of what the probers saw while the network moved, counted by step and kind. Pure.

A line is `<ms> step <name>`, or `<ms> <prober> <kind> <target> <outcome> <duration ms>`, where <ms> is when the answer
came or the failure was certain. A step lasts until the next one; `end` is none. A request belongs to the step in which
it was made. A gap is the time between two answers that one prober got of one target, whichever requests they answer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

HELD = "held"
KINDS = ("service", "pod", "dns", "api", HELD)


class _Mark(NamedTuple):
    ms: int
    name: str


class _Outcome(NamedTuple):
    ms: int
    prober: str
    kind: str
    target: str
    outcome: str
    duration: int


@dataclass(kw_only=True, slots=True)
class Tally:
    """What was counted of one kind in one step; times in ms. `causes` are in the order of appearance."""

    requests: int = 0
    failures: int = 0
    longest_gap: int = 0
    slowest: int = 0
    broken: int = 0
    causes: dict[str, None] = field(default_factory=dict[str, None])


class Recording:
    """Owns the sums of a recording's lines, which may come in any order; those that are not whole are passed over.
    `names` and `since` (ms) are of the steps, which are numbered from 0."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.names: list[str] = []
        self.since: list[int] = []
        self._until: list[int] = []
        self._tallies: defaultdict[tuple[int, str], Tally] = defaultdict(Tally)
        self._now: int | None = None
        self._ended: int | None = None
        self._latest = 0
        self._streams: Counter[str] = Counter()
        # The last answer's time and step, by prober, its stream, kind and target.
        self._last: dict[tuple[str, int, str, str], tuple[int, int | None]] = {}
        for entry in sorted(filter(None, map(_entry, lines)), key=itemgetter(0)):
            if isinstance(entry, _Mark):
                self._mark(entry)
            else:
                self._count(entry)
        if self._now is not None:
            self._until.append(max(self._latest, self.since[self._now]))

    def tally(self, step: int, kind: str) -> Tally:
        """The sums of one kind in one step."""
        return self._tallies[step, kind]

    def duration(self, step: int) -> int:
        """How long a step lasted, in ms: the last one until the last outcome, where no end was recorded."""
        return self._until[step] - self.since[step]

    def _mark(self, mark: _Mark) -> None:
        if self._now is not None:
            self._until.append(mark.ms)
        if mark.name == "end":
            self._now, self._ended = None, mark.ms
        else:
            self._now, self._ended = len(self.names), None
            self.names.append(mark.name)
            self.since.append(mark.ms)

    def _step_at(self, ms: int) -> int | None:
        """The step of a time that has passed, None where it was none."""
        if self._ended is not None and ms >= self._ended:
            return None
        begun = bisect_right(self.since, ms)
        return begun - 1 if begun else None

    def _count(self, entry: _Outcome) -> None:
        ms, prober, kind, target, outcome, duration = entry
        self._latest = ms
        if kind == "begin":  # a prober that starts again: the time between is no gap
            self._streams[prober] += 1
            return
        key = (prober, self._streams[prober], kind, target)
        made = self._step_at(ms - duration)
        # A broken one counts as what it is. Until when its prober gave it up (10 s) is the prober's patience, and no
        # gap of the network: what the network does meanwhile, the new connections show.
        if outcome in ("closed", "broken"):
            self._last.pop(key, None)
            if outcome == "broken" and made is not None:
                self._tallies[made, kind].broken += 1
            return
        if made is not None and kind != HELD:
            tally = self._tallies[made, kind]
            tally.requests += 1
            if outcome == "ok":
                tally.slowest = max(tally.slowest, duration)
            else:
                tally.failures += 1
                tally.causes[outcome.removeprefix("failed:")] = None
        if outcome == "ok":
            since, step = self._last.get(key, (ms, None))
            if step is not None:
                tally = self._tallies[step, kind]
                tally.longest_gap = max(tally.longest_gap, ms - since)
            self._last[key] = (ms, self._now)


def _entry(line: str) -> _Mark | _Outcome | None:
    """A line's content; None where it is not whole: a prober that is killed leaves half a line behind."""
    words = line.split()
    try:
        if len(words) > 2 and words[1] == "step":
            return _Mark(int(words[0]), line.rstrip("\r\n").partition(" step ")[2])
        if len(words) == 6:
            return _Outcome(int(words[0]), words[1], words[2], words[3], words[4], int(words[5]))
    except ValueError:
        pass
    return None
