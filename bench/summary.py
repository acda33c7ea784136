"""Results summed up: an interval a metric, its control, and a verdict a claim. Pure; measures nothing."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.claims import ARTICLE, Claim
from bench.order import SIDES
from bench.ratios import Interval, interval
from bench.results import Results
from bench.verdict import Verdict, judge


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric: the ratio Cilium over Flannel, that of the control, and the median of each side."""

    metric: str
    measured: Interval
    control: Interval | None
    medians: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim, what was measured of it, and the verdict."""

    claim: Claim
    row: Row | None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`again` counts the pairs that were measured again, and `stolen` those that were kept although the host stole."""

    rows: Sequence[Row]
    judged: Sequence[Judged]
    again: int
    stolen: int

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
        )
        for metric, found in ratios["pair"].items()
    ]
    return Summary(
        rows=rows,
        judged=[_judged(claim, rows) for claim in claims],
        again=sum(not pair.kept for pair in results.pairs),
        stolen=sum(pair.kept and pair.stolen for pair in results.pairs),
    )


def _judged(claim: Claim, rows: Sequence[Row]) -> Judged:
    row = next((row for row in rows if row.metric == claim.metric), None)
    verdict = judge(claim, row.measured if row else None, row.control if row else None)
    return Judged(claim=claim, row=row, verdict=verdict)
