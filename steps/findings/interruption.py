"""What a migration interrupted, from the recording of its probers, judged by the budget. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from steps.findings.coverage import Coverage
from steps.findings.recording import KINDS, Recording, Tally
from steps.findings.report import Kind, Report, Step


def report_of(
    lines: Iterable[str],
    *,
    strategy: str,
    max_failures: int,
    max_gap_ms: int,
    keeps_pods: bool = False,
    covered: Coverage | None = None,
    pods: Mapping[str, Any] | None = None,
    outside: Mapping[str, Any] | None = None,
) -> Report:
    """Counts a recording's lines, in any order, and holds them against the budget: failures of new connections, and the
    longest gap in ms; with `keeps_pods` a held connection that was broken is beyond it. `strategy`, `pods` and
    `outside` are only shown. Where `covered` misses something, what is within the budget may be so because nobody wrote
    it down; what is beyond it is beyond it all the same."""
    recording = Recording(lines)
    steps = [
        Step(
            name=name,
            duration_ms=recording.duration(index),
            kinds={kind: kind_of(recording.tally(index, kind)) for kind in KINDS},
        )
        for index, name in enumerate(recording.names)
    ]
    kinds = {kind: sum_of([step.kinds[kind] for step in steps]) for kind in KINDS}
    total = sum_of(list(kinds.values()))
    beyond = [
        *_failures(recording, total, max_failures),
        *_gap(steps, total, max_gap_ms),
        *(_broken(recording, steps) if keeps_pods else []),
    ]
    missing = [covered.why] if covered and covered.why else []
    if not total.requests:
        beyond, missing = [], ["no request was recorded", *missing]
    return Report(
        measured=not missing,
        strategy=strategy,
        within_budget=False if beyond else None if missing else True,
        why="; ".join([*missing, *beyond]),
        total=total,
        kinds=kinds,
        steps=tuple(steps),
        held={name: kind_of(tally) for name, tally in sorted(recording.held.items())},
        pods=pods or {},
        outside=outside or {},
        basis=covered.as_json() if covered else {},
    )


def _failures(recording: Recording, total: Kind, budget: int) -> list[str]:
    if total.failures <= budget:
        return []
    where = [
        f"{tally.failures} {kind} in {name}: {', '.join(tally.causes)}; the first: {tally.first}"
        for index, name in enumerate(recording.names)
        for kind in KINDS
        if (tally := recording.tally(index, kind)).failures
    ]
    counts = f"{total.failures} of {total.requests} new connections failed ({', '.join(where)})"
    return [f"{counts}, and the budget is {budget}"]


def _gap(steps: Sequence[Step], total: Kind, budget: int) -> list[str]:
    longest = total.longest_gap_ms
    if longest <= budget:
        return []
    where = next(f"{kind} in {at.name}" for at in steps for kind in KINDS if at.kinds[kind].longest_gap_ms == longest)
    return [f"the longest gap was {longest / 1000:.3f} s ({where}), and the budget is {budget / 1000:.3f} s"]


def _broken(recording: Recording, steps: Sequence[Step]) -> list[str]:
    counts = {at.name: sum(kind.connections_broken for kind in at.kinds.values()) for at in steps}
    where = ", ".join(f"{count} in {name}" for name, count in counts.items() if count)
    classes = ", ".join(sorted(name for name, tally in recording.held.items() if tally.broken))
    told = f"connections that were held were broken ({where}: {classes})"
    return [f"{told}, and this strategy keeps them"] if where else []


def kind_of(tally: Tally) -> Kind:
    """One kind in one step, as the report has it."""
    return Kind(
        requests=tally.requests,
        failures=tally.failures,
        longest_gap_ms=tally.longest_gap,
        starved_ms=tally.starved,
        unheard=tally.unheard,
        slowest_ms=tally.slowest,
        connections_broken=tally.broken,
    )


def sum_of(kinds: Sequence[Kind]) -> Kind:
    """Several together: counts are summed up, of times the longest counts."""
    return Kind(
        requests=sum(kind.requests for kind in kinds),
        failures=sum(kind.failures for kind in kinds),
        longest_gap_ms=max((kind.longest_gap_ms for kind in kinds), default=0),
        starved_ms=max((kind.starved_ms for kind in kinds), default=0),
        unheard=sum(kind.unheard for kind in kinds),
        slowest_ms=max((kind.slowest_ms for kind in kinds), default=0),
        connections_broken=sum(kind.connections_broken for kind in kinds),
    )
