"""When those who ask or are asked had no CPU: a prober asks itself over loopback at the same rate as the others, and
one beside an API server asks that; what these missed as well, no network made. Pure; times in ms."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator

from steps.findings.lines import Mark, Outcome

CONTROL, API_CONTROL = "control", "api-control"
# Of an API server that is asked five times a second, as of whoever is asked at a pace: two turns.
_SLOW = 400


class Starvation:
    """Owns the times in which each prober, and each API server, had no answer of its own, from the lines of a recording
    in order. A prober that says no pace in its `begin`, or has no control, never starved, and neither did an API server
    that could not be asked. Who is asked besides may be anybody whose control was there at the time."""

    def __init__(self, entries: Iterable[Mark | Outcome]) -> None:
        self._since: defaultdict[str, list[int]] = defaultdict(list)
        self._until: defaultdict[str, list[int]] = defaultdict(list)
        self._there: dict[str, tuple[int, int]] = {}  # when a control was first and last heard of
        self._servers: set[str] = set()
        self._apis: set[str] = set()  # by the probers beside them
        pace: dict[str, int] = {}
        last: dict[str, int] = {}
        for entry in entries:
            if isinstance(entry, Mark):
                continue
            prober = entry.prober
            if entry.kind == "begin":
                pace[prober] = entry.duration
                last.pop(prober, None)
            elif entry.kind == "pod":
                self._servers.add(entry.target)
            elif entry.kind == API_CONTROL:
                self._apis.add(prober)
                self._hear(_api_of(prober), entry.ms)
                if entry.outcome == "ok" and entry.duration > _SLOW:
                    self._starve(_api_of(prober), entry.ms - entry.duration, entry.ms)
            elif entry.kind == CONTROL and entry.outcome == "ok":
                self._hear(prober, entry.ms)
                before = last.get(prober, entry.ms)
                # Answers are a turn apart at any time; from when the next one was due it starved.
                if 0 < 2 * pace.get(prober, 0) < entry.ms - before:
                    self._starve(prober, before + pace[prober], entry.ms)
                last[prober] = entry.ms

    def within(self, who: str, since: int, until: int) -> int:
        """How much of a time the prober starved."""
        begins, ends = self._since.get(who, []), self._until.get(who, [])
        index = max(0, bisect_right(begins, since) - 1)
        starved = 0
        while index < len(begins) and begins[index] < until:
            starved += max(0, min(until, ends[index]) - max(since, begins[index]))
            index += 1
        return starved

    def between(self, prober: str, kind: str, target: str, since: int, until: int) -> int:
        """How much of a time the prober starved, or whoever it asked: of several that it may have asked, the one that
        starved least. Nobody knows of DNS."""
        return max(self.within(prober, since, until), min(self._asked(kind, target, since, until), default=0))

    def _asked(self, kind: str, target: str, since: int, until: int) -> Iterator[int]:
        if kind == "pod":
            yield self.within(target, since, until)
        elif kind == "api" or (kind == "held" and target.endswith("-to-api")):
            for beside in self._apis:
                if self._was_there(_api_of(beside), since, until):
                    # An answer may be late for want of whoever asks, too.
                    yield self.within(_api_of(beside), since, until) - self.within(beside, since, until)
        elif kind != "dns":
            for server in self._servers:
                if self._was_there(server, since, until):
                    yield self.within(server, since, until)

    def _was_there(self, who: str, since: int, until: int) -> bool:
        """One without a control may have been."""
        first, last = self._there.get(who, (since, until))
        return first <= until and last >= since

    def _hear(self, who: str, ms: int) -> None:
        self._there[who] = (self._there.get(who, (ms, ms))[0], ms)

    def _starve(self, who: str, since: int, until: int) -> None:
        self._since[who].append(since)
        self._until[who].append(until)


def _api_of(prober: str) -> str:
    """The API server on a prober's node: no Pod has such a name."""
    return f"{prober}/api"
