"""The rounds: every pair and every control of every test, in the drawn order, each on disk as soon as it is measured.

While one cluster is measured the other idles. It is not paused: an API server and a kubelet that stand still for ten
seconds lose their leases, and what they then do to catch up would be in the other one's next measurement. What idling
costs is a test of its own (`idle`), and the control has the same neighbour as the pair.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import results
from bench.answers import NoSampleError
from bench.lengths import Lengths, Measuring
from bench.order import Side, Turn, turns
from bench.results import Comparison, Failure, Measure, Pair, Run
from bench.workloads import Workload
from steps.running import StepError

# The part of the machine's time that its host may take away, and how often a pair is measured before it is taken as it
# is.
STEAL_LIMIT, ATTEMPTS = 0.02, 3
# Tests in a row without a sample, after which it is not the tests.
BROKEN = 4


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One pair or control that is to be measured. `sides` in this order; `numerator` is an index into them."""

    turn: Turn
    test: Workload
    comparison: Comparison

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.turn.order if self.comparison == "pair" else (self.turn.control, self.turn.control)

    @property
    def numerator(self) -> int:
        return self.turn.order.index("cilium") if self.comparison == "pair" else int(not self.turn.control_first)

    @property
    def key(self) -> tuple[int, str, Comparison]:
        """As `Results.done` has it."""
        return self.turn.number, self.test.name, self.comparison


def errands(run: Run, tests: Sequence[Workload], *, done: set[tuple[int, str, Comparison]]) -> Iterator[Errand]:
    """What is left, turn by turn. Within a turn the tests come in a drawn order, so that none is always behind the same
    one, and a pair is followed by its control or the other way round."""
    for turn in turns(run.pairs, run.seed):
        dice = random.Random(f"{run.seed} turn {turn.number}")
        order: Sequence[Comparison] = ("pair", "control") if dice.random() < 0.5 else ("control", "pair")
        for test in dice.sample(tests, len(tests)):
            for comparison in order if test.controlled else ("pair",):
                errand = Errand(turn=turn, test=test, comparison=comparison)
                if errand.key not in done:
                    yield errand


@dataclass(frozen=True, kw_only=True)
class Left:
    """What has no figure when the rounds end: `failed` gave no sample in any attempt, `late` was not begun."""

    failed: Sequence[str]
    late: int


def measure_all(
    path: Path, tests: Sequence[Workload], measure: Measuring, *, until: float, said: Callable[[str], None]
) -> Left:
    """Measures what the file does not have yet, and begins nothing that would not end by `until` (the monotonic
    clock's), as far as the longest errand so far can tell."""
    found = results.load(path)
    todo = list(errands(found.run, tests, done=found.done()))
    failed: list[str] = []
    lengths = Lengths()
    longest, in_a_row = 0.0, 0
    for number, errand in enumerate(todo):
        began = time.monotonic()
        if began + longest > until:
            return Left(failed=failed, late=len(todo) - number)
        name = f"{errand.test.name}, {errand.comparison} of turn {errand.turn.number + 1}"
        if _measured(path, errand, lengths.of(measure), said):
            said(f"{number + 1} of {len(todo)}: {name}")
            in_a_row = 0
        else:
            failed.append(name)
            in_a_row += 1
            if in_a_row == BROKEN:
                raise StepError(f"{BROKEN} tests in a row gave no sample, the last one {name}: a cluster is broken")
        longest = max(longest, time.monotonic() - began)
    return Left(failed=failed, late=0)


def _measured(path: Path, errand: Errand, measure: Measuring, said: Callable[[str], None]) -> bool:
    """Whether there is a pair that is kept. A side that gave no sample costs the whole pair: its other half would be
    from another time."""
    for attempt in range(1, ATTEMPTS + 1):
        measures: list[Measure] = []
        try:
            for side in errand.sides:
                measures.append(measure(side, errand.test))
        except NoSampleError as error:
            at = errand.sides[len(measures)]
            said(f"no sample of {errand.test.name} on {at}: {error}")
            results.append(path, _failure(errand, attempt, at, str(error)))
            continue
        stolen = max(one.steal for one in measures) > STEAL_LIMIT
        kept = not stolen or attempt == ATTEMPTS
        results.append(path, _pair(errand, attempt, (measures[0], measures[1]), kept=kept, stolen=stolen))
        if kept:
            return True
        said(f"the host took {max(one.steal for one in measures):.1%} of the time: {errand.test.name} again")
    return False


def _failure(errand: Errand, attempt: int, side: Side, why: str) -> Failure:
    return Failure(
        turn=errand.turn.number,
        test=errand.test.name,
        comparison=errand.comparison,
        attempt=attempt,
        side=side,
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        why=why[:500],
    )


def _pair(errand: Errand, attempt: int, measures: tuple[Measure, Measure], *, kept: bool, stolen: bool) -> Pair:
    return Pair(
        turn=errand.turn.number,
        test=errand.test.name,
        comparison=errand.comparison,
        numerator=errand.numerator,
        measures=measures,
        attempt=attempt,
        kept=kept,
        stolen=stolen,
    )
