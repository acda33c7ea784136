"""A recording of what the probers saw while the network moved, counted by step and kind. Pure.

A step lasts until the next one; `end` is none. A request belongs to the step in which it was made. A gap is the time
between two answers that one prober got of one target, whichever requests they answer, less the part of it in which the
one or the other starved.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from steps.findings.lines import Mark, Outcome, in_order
from steps.findings.starvation import Starvation

HELD = "held"
KINDS = ("service", "pod", "dns", "api", HELD)


@dataclass(kw_only=True, slots=True)
class Tally:
    """What was counted of one kind in one step; times in ms. `starved` is the most that was taken off a gap as
    starvation, `unheard` are requests that ran into their time-out while nobody was there, for half of it or more, to
    hear an answer or to give one. `causes` are in the order of appearance; `first` is who asked whom where it failed
    first, and when that ended (UTC)."""

    requests: int = 0
    failures: int = 0
    longest_gap: int = 0
    starved: int = 0
    unheard: int = 0
    slowest: int = 0
    broken: int = 0
    causes: dict[str, None] = field(default_factory=dict[str, None])
    first: str = ""


class Recording:
    """Owns the sums of a recording's lines, which may come in any order; those that are not whole are passed over.
    `names` and `since` (ms) are of the steps, which are numbered from 0; `held` are the sums of all steps by the class
    of connections that stay open, with an echo for a request. `starvation` is by more lines than these, where it is
    given."""

    def __init__(self, lines: Iterable[str], starvation: Starvation | None = None) -> None:
        self.names: list[str] = []
        self.since: list[int] = []
        self._until: list[int] = []
        self._tallies: defaultdict[tuple[int, str], Tally] = defaultdict(Tally)
        self.held: defaultdict[str, Tally] = defaultdict(Tally)
        self._now: int | None = None
        self._ended: int | None = None
        self._latest = 0
        self._streams: Counter[str] = Counter()
        # The last answer's time and step, by prober, its stream, kind and target.
        self._last: dict[tuple[str, int, str, str], tuple[int, int | None]] = {}
        # Failures of a target of which nobody knew whether it was still there, by the same key, with the step.
        self._doubts: defaultdict[tuple[str, int, str, str], list[tuple[int | None, Outcome]]] = defaultdict(list)
        entries = in_order(lines)
        self._starvation = starvation or Starvation(entries)
        for entry in entries:
            if isinstance(entry, Mark):
                self._mark(entry)
            else:
                self._count(entry)
        for key in list(self._doubts):  # nobody has said that these targets were gone
            self._believe(key)
        if self._now is not None:
            self._until.append(max(self._latest, self.since[self._now]))

    def tally(self, step: int, kind: str) -> Tally:
        """The sums of one kind in one step."""
        return self._tallies[step, kind]

    def duration(self, step: int) -> int:
        """How long a step lasted, in ms: the last one until the last outcome, where no end was recorded."""
        return self._until[step] - self.since[step]

    def _mark(self, mark: Mark) -> None:
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

    def _count(self, entry: Outcome) -> None:
        ms, prober, kind, target, outcome, duration = entry
        self._latest = ms
        if kind == "begin":  # a prober that starts again: the time between is no gap
            self._streams[prober] += 1
            return
        if kind not in KINDS:  # a prober's own lines
            return
        key = (prober, self._streams[prober], kind, target)
        made = self._step_at(ms - duration)
        # A broken one counts as what it is. Until when its prober gave it up (10 s) is the prober's patience, and no
        # gap of the network: what the network does meanwhile, the new connections show.
        if outcome in ("closed", "broken"):
            self._last.pop(key, None)
            self._doubts.pop(key, None)
            if outcome == "broken" and made is not None:
                self._tallies[made, kind].broken += 1
                self.held[target].broken += 1
            return
        if outcome.startswith("doubt:"):
            self._doubts[key].append((made, entry._replace(outcome=outcome.replace("doubt:", "failed:", 1))))
            return
        self._believe(key)
        if kind != HELD:
            self._request(made, entry)
        elif made is not None:
            self.held[target].requests += 1
        if outcome == "ok":
            self._answer(key, ms)

    def _unheard(self, entry: Outcome) -> bool:
        """Whether a request ran into its time-out while nobody was there for half of it or more. A kernel lets a
        connection come about that its process has no CPU for: without one, the process excuses nothing."""
        until = entry.ms
        since = until - entry.duration
        if entry.outcome == "failed:TimeoutError":
            starved = self._starvation.within(entry.prober, since, until)
        elif entry.outcome == "failed:Unanswered":
            starved = self._starvation.between(entry.prober, entry.kind, entry.target, since, until)
        else:
            return False
        return 2 * starved >= entry.duration > 0

    def _believe(self, key: tuple[str, int, str, str]) -> None:
        """The target was there all the time: what was doubted has failed."""
        for made, entry in self._doubts.pop(key, ()):
            self._request(made, entry)

    def _request(self, made: int | None, entry: Outcome) -> None:
        if made is None:
            return
        tally = self._tallies[made, entry.kind]
        tally.requests += 1
        if entry.outcome == "ok":
            tally.slowest = max(tally.slowest, entry.duration)
        elif self._unheard(entry):
            tally.unheard += 1
        else:
            tally.failures += 1
            tally.causes[entry.outcome.removeprefix("failed:")] = None
            if not tally.first:
                when = datetime.fromtimestamp(entry.ms / 1000, UTC)
                tally.first = f"{entry.prober} to {entry.target}, {when:%H:%M:%S.%f}"[:-3]

    def _answer(self, key: tuple[str, int, str, str], ms: int) -> None:
        prober, _, kind, target = key
        since, step = self._last.get(key, (ms, None))
        self._last[key] = (ms, self._now)
        if step is None:
            return
        sums = [self._tallies[step, kind], *([self.held[target]] if kind == HELD else [])]
        # Only what would be the longest is worth a look at the control.
        if any(ms - since > tally.longest_gap for tally in sums):
            starved = self._starvation.between(prober, kind, target, since, ms)
            for tally in sums:
                tally.starved = max(tally.starved, starved)
                tally.longest_gap = max(tally.longest_gap, ms - since - starved)
