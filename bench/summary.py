"""Results summed up: an interval a metric, its control, and a verdict a claim. Pure; measures nothing."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.claims import ARTICLE, Claim
from bench.order import SIDES
from bench.ratios import Interval, interval
from bench.results import Results
from bench.verdict import Verdict, judge


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric: the ratio Cilium over Flannel, that of the control, and the median of each side. `insensitive` where
    the same ranks without a network take more than half of the time: what is compared is then mostly not a network."""

    metric: str
    measured: Interval
    control: Interval | None
    medians: Mapping[str, float]
    insensitive: bool = False

    @property
    def label(self) -> str:
        """The metric as tables and charts name it, with a dagger where it is insensitive."""
        return f"{self.metric} †" if self.insensitive else self.metric


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim, what was measured of it, and the verdict."""

    claim: Claim
    row: Row | None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`again` counts the pairs that were measured again, `stolen` those that were kept although the host stole,
    `failed` the measurements that gave no sample, by test and side."""

    rows: Sequence[Row]
    judged: Sequence[Judged]
    again: int
    stolen: int
    failed: Mapping[tuple[str, str], int]

    def row(self, metric: str) -> Row | None:
        """The row of a metric, None where it was not measured."""
        return next((row for row in self.rows if row.metric == metric), None)

    def controls_off(self) -> list[str]:
        """The metrics whose control does not include 1. Of 20 controls one is expected to be off by chance."""
        return [row.metric for row in self.rows if row.control and row.control.pairs > 1 and not row.control.holds(1)]


def summary(results: Results, claims: Sequence[Claim] = ARTICLE) -> Summary:
    """Everything that the kept pairs say. A metric without a pair has no row."""
    ratios: dict[str, dict[str, list[float]]] = {"pair": defaultdict(list), "control": defaultdict(list)}
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for pair in results.pairs:
        if not pair.kept:
            continue
        for metric, ratio in pair.ratios().items():
            ratios[pair.comparison][metric].append(ratio)
        for measure in pair.measures if pair.comparison == "pair" else ():
            for name, value in measure.values.items():
                values[f"{pair.test}/{name}", measure.side].append(value)
    rows = [
        Row(
            metric=metric,
            measured=interval(found),
            control=interval(ratios["control"][metric]) if ratios["control"][metric] else None,
            medians={side: statistics.median(values[metric, side]) for side in SIDES},
            insensitive=_insensitive(metric, values),
        )
        for metric, found in ratios["pair"].items()
    ]
    return Summary(
        rows=rows,
        judged=[_judged(claim, rows) for claim in claims],
        again=sum(not pair.kept for pair in results.pairs),
        stolen=sum(pair.kept and pair.stolen for pair in results.pairs),
        failed=Counter((failure.test, failure.side) for failure in results.failures),
    )


def _insensitive(metric: str, values: Mapping[tuple[str, str], Sequence[float]]) -> bool:
    test, _, name = metric.partition("/")
    floors = [(values.get((metric, side), ()), values.get((f"loopback/{name}", side), ())) for side in SIDES]
    # Both are figures of which more is better, so the floor's part of the time is the other way round.
    return test == "training" and any(
        statistics.median(over) / statistics.median(without) > 0.5 for over, without in floors if over and without
    )


def _judged(claim: Claim, rows: Sequence[Row]) -> Judged:
    row = next((row for row in rows if row.metric == claim.metric), None)
    verdict = judge(
        claim,
        row.measured if row else None,
        row.control if row else None,
        insensitive=row is not None and row.insensitive,
    )
    return Judged(claim=claim, row=row, verdict=verdict)
