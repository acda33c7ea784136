"""Whether a recording is whole: what nobody wrote down would pass for nothing that failed. Pure; times in ms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# A prober writes a line at least twice a second. It may starve for some seconds, which shows in what it does write.
HOLE = 10_000
_NAMED = 5  # reasons that are told in full


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """`probers` are those that had to record, `whole` those that did so from their beginning to their end. `why` says
    what is missing; empty where nothing is."""

    probers: int
    whole: int
    why: str

    def as_json(self) -> dict[str, dict[str, int]]:
        """How much the report rests on."""
        return {"probers": {"asked": self.probers, "answered": self.whole}}


@dataclass(kw_only=True, slots=True)
class _Prober:
    node: str
    first: int
    last: int
    state: str  # open, end or done
    wrong: list[str] = field(default_factory=list[str])


def coverage(logs: Mapping[str, Iterable[str]], *, steps: Iterable[str], max_gap_ms: int) -> Coverage:
    """`logs` are the probers' lines by node, each prober's in the order in which it wrote them; `steps` are the steps'
    and `<ms> prober <name>` of each prober that was there when the recording began.

    A prober covers it that says when it begins, is never silent for longer than HOLE, and says `end` before it goes
    (its Pod was told to) or `done` after the recording's end. Each node has one at any time. No hole is too long that
    is shorter than the gap that the budget permits."""
    marks = [line.split(" ", 2) for line in steps]
    since = next((int(mark[0]) for mark in marks if mark[1:2] == ["step"]), None)
    until = max((int(mark[0]) for mark in marks if mark[1:] == ["step", "end"]), default=None)
    if since is None or until is None:
        return Coverage(probers=0, whole=0, why="the recording has no beginning or no end")
    probers: dict[str, _Prober] = {}
    for node, lines in logs.items():
        for line in lines:
            _read(probers, node, line, since, until, max_gap_ms)
    seen = {name: prober for name, prober in probers.items() if prober.last >= since}
    for name, prober in seen.items():
        _close(name, prober, since, until)
    missing = sorted({mark[2] for mark in marks if mark[1:2] == ["prober"]} - seen.keys())
    recorded = {prober.node for prober in seen.values() if prober.last >= until or prober.wrong}
    reasons = [f"{name} recorded nothing" for name in missing]
    reasons += [reason for _, prober in sorted(seen.items()) for reason in prober.wrong]
    reasons += [f"on {node} no prober recorded until the end" for node in logs if node not in recorded]
    reasons += [hole for node in logs if node in recorded for hole in _holes(node, seen, since, max(HOLE, max_gap_ms))]
    more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return Coverage(
        probers=len(seen) + len(missing),
        whole=sum(not prober.wrong for prober in seen.values()),
        why="; ".join(reasons[:_NAMED]) + more,
    )


def _read(probers: dict[str, _Prober], node: str, line: str, since: int, until: int, max_gap_ms: int) -> None:
    words = line.split(" ", 3)
    if len(words) < 4 or not words[0].isdecimal():
        return
    ms, name, kind = int(words[0]), words[1], words[2]
    known = probers.get(name)
    state = {"end": "end", "done": "done"}.get(kind, "open")
    if known is None:
        probers[name] = _Prober(node=node, first=ms, last=ms, state=state)
        return
    hole = min(ms, until) - max(known.last, since)
    if kind == "begin":
        if known.state == "open" and hole > max_gap_ms:
            known.wrong.append(f"{name} ended without a word {_when(known.last, since)}, for {hole / 1000:.1f} s")
        if known.state == "done" and hole > max_gap_ms and known.last > since:
            known.wrong.append(f"{name} gave the recording up {_when(known.last, since)}, for {hole / 1000:.1f} s")
    elif known.state == "open" and hole > max(HOLE, max_gap_ms):
        known.wrong.append(f"{name} was silent for {hole / 1000:.1f} s {_when(known.last, since)}")
    known.last, known.state = ms, state


def _close(name: str, prober: _Prober, since: int, until: int) -> None:
    when = _when(prober.last, since)
    if prober.state == "open":
        prober.wrong.append(f"{name} said nothing of its end; its last line is from {when}")
    elif prober.state == "done" and prober.last < until:
        prober.wrong.append(f"{name} gave the recording up {when}")


def _holes(node: str, probers: Mapping[str, _Prober], since: int, most: int) -> list[str]:
    """Where a node had no prober for longer than `most`: one said its end, and the next one came too late."""
    found: list[str] = []
    last = since
    for prober in sorted((each for each in probers.values() if each.node == node), key=lambda each: each.first):
        if prober.first - last > most:
            found.append(f"on {node} no prober recorded for {(prober.first - last) / 1000:.1f} s {_when(last, since)}")
        last = max(last, prober.last)
    return found


def _when(ms: int, since: int) -> str:
    return f"{max(0, ms - since) / 1000:.1f} s after the recording's beginning"
