"""What pairs of measurements say of a ratio: its geometric mean and a paired t-interval on the logarithms. Pure.

A bootstrap would be too sure of itself with so few pairs: percentile and BCa intervals cover 66 to 85 % where they say
95 with 3 to 8 pairs (simulated; tests/unit/test_bench_ratios.py does the same for this one).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import t as student

LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A ratio without unit: the geometric mean `ratio` of `pairs` ratios, and the bounds that hold the true one in 95
    of 100 such benchmarks. With one pair the bounds are 0 and infinity: one pair does not say how far pairs differ."""

    ratio: float
    low: float
    high: float
    pairs: int

    def holds(self, ratio: float) -> bool:
        """Whether `ratio` is one of those that the pairs do not speak against."""
        return self.low <= ratio <= self.high

    def inside(self, low: float, high: float) -> bool:
        """Whether the whole interval lies from `low` to `high`."""
        return low <= self.low and self.high <= high


def interval(ratios: Sequence[float], level: float = LEVEL) -> Interval:
    """The interval of pair ratios, each greater than 0. Raises ValueError where there is none, or one is not."""
    if not ratios:
        raise ValueError("there are no pairs to make an interval of")
    if not all(0 < ratio < math.inf for ratio in ratios):
        raise ValueError(f"a ratio is a finite number above 0, not one of {list(ratios)}")
    logs = [math.log(ratio) for ratio in ratios]
    middle, count = statistics.fmean(logs), len(logs)
    if count == 1:
        return Interval(ratio=ratios[0], low=0.0, high=math.inf, pairs=1)
    quantile = float(student.ppf((1 + level) / 2, count - 1))
    reach = quantile * statistics.stdev(logs) / math.sqrt(count)
    return Interval(ratio=math.exp(middle), low=math.exp(middle - reach), high=math.exp(middle + reach), pairs=count)
