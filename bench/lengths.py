"""How long each test is measured: what a slow machine cannot do in a time that suffices on a fast one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from bench.answers import NoSampleError, TooShortError
from bench.order import Side
from bench.results import Measure
from bench.workloads import Workload

Measuring = Callable[[Side, Workload], Measure]

# How much more than enough is aimed at, and s that no measurement is made longer than: a path that is as slow as that
# is broken, and both clusters would be measured for hours.
_SPARE, _LONGEST = 1.5, 60


def longer(seconds: int, part: float) -> int:
    """How many seconds do where `seconds` came to `part` of what is needed."""
    return max(seconds + 1, min(_LONGEST, math.ceil(seconds * _SPARE / max(part, _SPARE / _LONGEST))))


class Lengths:
    """Of one run: what was too short is as long as it has to be from then on, for both sides of every later pair and
    control."""

    def __init__(self) -> None:
        self._seconds: dict[str, int] = {}

    def of(self, measure: Measuring) -> Measuring:
        def measured(side: Side, test: Workload) -> Measure:
            seconds = self._seconds.get(test.name, test.seconds)
            try:
                return measure(side, replace(test, seconds=seconds))
            except TooShortError as error:
                self._seconds[test.name] = longer(seconds, error.part)
                raise NoSampleError(f"{error} in {seconds} s") from error

        return measured
