"""The rounds: everything is measured once, in the drawn order, and an interruption costs one pair."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench import results, rounds
from bench.answers import NoSampleError, TooShortError
from bench.lengths import longer
from bench.order import Side, turns
from bench.results import Measure, Run
from bench.rounds import ATTEMPTS, BROKEN, STEAL_LIMIT, Errand, Left, errands, measure_all
from bench.workloads import Workload, workloads
from steps.running import StepError

RUN = Run(
    schema=1,
    mode="quick",
    pairs=4,
    seed=7,
    indicative=True,
    began="",
    project="abc",
    settings={},
    machine={},
    versions={},
    clusters={},
)
TESTS = [test for test in workloads(3, training=True) if test.name in ("other-node/tcp-1", "idle", "loopback")]
# Of a turn: two tests with a pair and a control, and the loopback's pair alone.
A_TURN = 5


class Machine:
    """Answers with 10 Gbit/s on Cilium and 8 on Flannel, and with what is planned for a call, by its number."""

    def __init__(self) -> None:
        self.calls: list[tuple[Side, str]] = []
        self.planned: dict[int, float | Exception] = {}
        self.always: Exception | None = None

    def __call__(self, side: Side, test: Workload) -> Measure:
        self.calls.append((side, test.name))
        planned = self.planned.get(len(self.calls), 0.0)
        if self.always or isinstance(planned, Exception):
            raise self.always or planned  # pyright: ignore[reportGeneralTypeIssues]
        return Measure(
            side=side, began="", seconds=3, steal=planned, values={"gbits": 10.0 if side == "cilium" else 8.0}
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    results.begin(tmp_path / "run.jsonl", RUN)
    return tmp_path / "run.jsonl"


def go(path: Path, machine: Machine, until: float = math.inf) -> Left:
    return measure_all(path, TESTS, machine, until=until, said=lambda _: None)


def test_every_test_gets_its_pairs_and_its_controls(path: Path) -> None:
    assert go(path, Machine()) == Left(failed=[], late=0)
    counts = Counter((pair.test, pair.comparison) for pair in results.load(path).pairs)
    assert counts == {
        ("other-node/tcp-1", "pair"): 4,
        ("other-node/tcp-1", "control"): 4,
        ("idle", "pair"): 4,
        ("idle", "control"): 4,
        ("loopback", "pair"): 4,
    }


def test_the_ratio_is_cilium_s_over_flannel_s_whichever_was_first(path: Path) -> None:
    go(path, Machine())
    found = results.load(path).pairs
    assert {pair.measures[0].side for pair in found if pair.comparison == "pair"} == {"flannel", "cilium"}
    for pair in found:
        assert set(pair.ratios().values()) == {1.25 if pair.comparison == "pair" else 1.0}


def test_the_controls_are_of_one_cluster_and_of_both_equally_often(path: Path) -> None:
    go(path, Machine())
    sides = [[one.side for one in pair.measures] for pair in results.load(path).pairs if pair.comparison == "control"]
    assert all(one == other for one, other in sides)
    assert Counter(one for one, _ in sides) == {"flannel": 4, "cilium": 4}


def test_which_of_a_control_is_above_the_line_is_drawn() -> None:
    found = {
        Errand(turn=turn, test=TESTS[0], comparison="control").numerator for turn in turns(20, 7)
    }  # fmt: skip
    assert found == {0, 1}, "a machine that gets slower would be a bias of the control"


def test_no_test_is_always_behind_the_same_one() -> None:
    orders = {
        tuple(
            dict.fromkeys(errand.test.name for errand in errands(RUN, TESTS, done=set()) if errand.turn.number == turn)
        )
        for turn in range(4)
    }
    assert len(orders) > 1, "what one test heats up would always be charged to the same other one"
    again = [errand.key for errand in errands(RUN, TESTS, done=set())]
    assert again == [errand.key for errand in errands(RUN, TESTS, done=set())], "the seed would not repeat it"


def test_an_interrupted_run_goes_on_behind_its_last_pair(path: Path) -> None:
    machine = Machine()

    def interrupted(side: Side, test: Workload) -> Measure:
        if len(machine.calls) == 7:
            raise KeyboardInterrupt
        return machine(side, test)

    with pytest.raises(KeyboardInterrupt):
        measure_all(path, TESTS, interrupted, until=math.inf, said=lambda _: None)
    assert len(results.load(path).pairs) == 3, "a pair has to be on disk as soon as it is measured"
    go(path, machine)
    keys = [(pair.turn, pair.test, pair.comparison) for pair in results.load(path).pairs]
    assert len(keys) == len(set(keys)) == 4 * A_TURN
    whole = [errand.key for errand in errands(RUN, TESTS, done=set())]
    assert keys == whole, "an interruption would change the order that the seed says"


def test_a_pair_in_which_the_host_stole_time_is_measured_again(path: Path) -> None:
    machine = Machine()
    machine.planned[2] = STEAL_LIMIT * 2
    assert go(path, machine) == Left(failed=[], late=0)
    first, second, *_ = results.load(path).pairs
    assert (first.kept, first.stolen, first.attempt) == (False, True, 1)
    assert (second.kept, second.stolen, second.attempt) == (True, False, 2)
    assert (first.turn, first.test, first.comparison) == (second.turn, second.test, second.comparison)


def test_a_host_that_steals_on_and_on_is_kept_and_named(path: Path) -> None:
    machine = Machine()
    machine.planned = dict.fromkeys(range(1, 2 * ATTEMPTS + 1), STEAL_LIMIT * 2)
    go(path, machine)
    found = results.load(path).pairs[:ATTEMPTS]
    assert [pair.kept for pair in found] == [False] * (ATTEMPTS - 1) + [True]
    assert all(pair.stolen for pair in found)


@pytest.mark.parametrize("call", [1, 2])
def test_a_tool_that_fails_costs_the_pair_and_is_written_down(path: Path, call: int) -> None:
    machine = Machine()
    machine.planned[call] = NoSampleError("it hung")
    assert go(path, machine) == Left(failed=[], late=0)
    found = results.load(path)
    assert [failure.why for failure in found.failures] == ["it hung"]
    assert found.failures[0].side == machine.calls[call - 1][0]
    assert found.pairs[0].attempt == 2
    assert len({one.side for one in found.pairs[0].measures}) in (1, 2)
    assert len(machine.calls) == 2 * 4 * A_TURN + call, "half a pair would be joined with another time's half"


def test_what_fails_in_every_attempt_is_no_figure_and_is_tried_in_the_next_run(path: Path) -> None:
    machine = Machine()
    machine.planned = {call: NoSampleError("refused") for call in range(1, ATTEMPTS + 1)}
    left = go(path, machine)
    assert len(left.failed) == 1
    assert len(results.load(path).pairs) == 4 * A_TURN - 1
    assert go(path, Machine()) == Left(failed=[], late=0)
    assert len(results.load(path).pairs) == 4 * A_TURN


def test_what_a_slow_machine_does_too_little_of_is_measured_for_longer(path: Path) -> None:
    machine, lengths = Machine(), list[int]()

    def slow(side: Side, test: Workload) -> Measure:
        if test.name == "idle":
            lengths.append(test.seconds)
            if test.seconds < 12:
                raise TooShortError("too few round trips for P99.9", test.seconds / 12)
        return machine(side, test)

    assert measure_all(path, TESTS, slow, until=math.inf, said=lambda _: None) == Left(failed=[], late=0)
    assert lengths == [3, *[18] * (2 * 2 * 4)], "a slow machine would never have this figure, or ask for it in vain"
    assert [failure.why for failure in results.load(path).failures] == ["too few round trips for P99.9 in 3 s"]


def test_no_measurement_gets_endless_and_every_longer_one_is_longer() -> None:
    assert longer(1, 0.97) == 2 and longer(2, 0.77) == 4
    assert longer(2, 0.0) == 60, "a path without an answer would be measured for ever"
    assert longer(60, 0.9) == 61


def test_a_cluster_that_is_broken_ends_the_run(path: Path) -> None:
    machine = Machine()
    machine.always = NoSampleError("no route to host")
    with pytest.raises(StepError, match="cluster is broken"):
        go(path, machine)
    assert len(machine.calls) == BROKEN * ATTEMPTS, "hours of failures would look like a benchmark"


def test_nothing_is_begun_that_would_end_too_late(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(float(second) for second in range(0, 10_000, 5))
    monkeypatch.setattr(rounds.time, "monotonic", lambda: next(now))
    left = go(path, Machine(), until=52.0)
    # The clock goes 5 s a look and an errand takes two looks; the sixth would have ended at 55 s.
    assert left == Left(failed=[], late=4 * A_TURN - len(results.load(path).pairs))
    assert 0 < len(results.load(path).pairs) < 4 * A_TURN


def test_a_longer_benchmark_begins_with_the_shorter_one(path: Path) -> None:
    longer = [errand.key for errand in errands(replace(RUN, pairs=6), TESTS, done=set())]
    assert longer[: 4 * A_TURN] == [errand.key for errand in errands(RUN, TESTS, done=set())]
