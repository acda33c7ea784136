"""When the probers themselves starved: a prober asks itself over loopback at the same rate as the others, and what that
missed as well, no network made. Pure; times in ms."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable

from steps.findings.lines import Mark, Outcome

CONTROL = "control"


class Starvation:
    """Owns the times in which each prober had no answer of its own, from the lines of a recording in order. A prober
    that says no pace in its `begin`, or has no control, never starved."""

    def __init__(self, entries: Iterable[Mark | Outcome]) -> None:
        self._since: defaultdict[str, list[int]] = defaultdict(list)
        self._until: defaultdict[str, list[int]] = defaultdict(list)
        pace: dict[str, int] = {}
        last: dict[str, int] = {}
        for entry in entries:
            if isinstance(entry, Mark):
                continue
            prober = entry.prober
            if entry.kind == "begin":
                pace[prober] = entry.duration
                last.pop(prober, None)
            elif entry.kind == CONTROL and entry.outcome == "ok":
                before = last.get(prober, entry.ms)
                # Answers are a turn apart at any time; from when the next one was due it starved.
                if 0 < 2 * pace.get(prober, 0) < entry.ms - before:
                    self._since[prober].append(before + pace[prober])
                    self._until[prober].append(entry.ms)
                last[prober] = entry.ms

    def within(self, prober: str, since: int, until: int) -> int:
        """How much of a time the prober starved."""
        begins, ends = self._since.get(prober, []), self._until.get(prober, [])
        index = max(0, bisect_right(begins, since) - 1)
        starved = 0
        while index < len(begins) and begins[index] < until:
            starved += max(0, min(until, ends[index]) - max(since, begins[index]))
            index += 1
        return starved
