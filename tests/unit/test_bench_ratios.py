"""The benchmark's statistics: the interval covers what it says, the order favours nobody, a verdict means its word."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from types import FunctionType

import pytest

from bench.claims import ARTICLE, Claim
from bench.order import SIDES, turns
from bench.ratios import Interval, interval
from bench.verdict import MARGIN, Word, judge

FASTER = Claim(key="x", words="", metric="", ratio=1.15, more_is_better=True, by_ours="")
QUIETER = replace(FASTER, ratio=0.42, more_is_better=False)
SAME = Interval(ratio=1.0, low=0.99, high=1.01, pairs=20)


def of(low: float, high: float, pairs: int = 20) -> Interval:
    return Interval(ratio=math.sqrt(low * high), low=low, high=high, pairs=pairs)


def normal(dice: random.Random) -> float:
    return dice.gauss(0, 0.1)


def heavy(dice: random.Random) -> float:
    """Student's t with 3 degrees of freedom: now and then a pair is far off."""
    return 0.05 * dice.gauss(0, 1) / math.sqrt(dice.gammavariate(1.5, 2) / 3)


@pytest.mark.parametrize("noise", [normal, heavy])
@pytest.mark.parametrize("pairs", [3, 8, 20])
def test_the_interval_covers_the_true_ratio_as_often_as_it_says(noise: FunctionType, pairs: int) -> None:
    dice, true, runs = random.Random(f"{noise.__name__} {pairs}"), 1.2, 1000
    held = sum(interval([true * math.exp(noise(dice)) for _ in range(pairs)]).holds(true) for _ in range(runs))
    # 1000 runs: two standard errors are 1.4 %. A bootstrap's 66 to 85 % would be seen at once.
    assert 0.93 <= held / runs <= 0.985, f"{held / runs:.1%} of the intervals hold the truth, and they say 95 %"


def test_an_interval_of_known_pairs_is_the_one_of_the_tables() -> None:
    # Logarithms 0.1, 0.2, 0.3: mean 0.2, deviation 0.1, t(0.975, 2) = 4.302653.
    found = interval([math.exp(0.1), math.exp(0.2), math.exp(0.3)])
    reach = 4.302653 * 0.1 / math.sqrt(3)
    assert found.ratio == pytest.approx(math.exp(0.2))
    assert found.low == pytest.approx(math.exp(0.2 - reach), rel=1e-6)
    assert found.high == pytest.approx(math.exp(0.2 + reach), rel=1e-6)


def test_the_ratio_does_not_depend_on_which_cluster_is_above_the_line() -> None:
    ratios = [1.1, 1.4, 0.9, 1.3]
    one, other = interval(ratios), interval([1 / ratio for ratio in ratios])
    assert other.ratio == pytest.approx(1 / one.ratio), "a mean of ratios would favour the one above the line"
    assert other.high == pytest.approx(1 / one.low)


def test_one_pair_is_no_certainty() -> None:
    assert interval([1.3]) == Interval(ratio=1.3, low=0.0, high=math.inf, pairs=1)


@pytest.mark.parametrize("ratios", [[], [1.0, 0.0], [1.0, math.inf], [1.0, -1.0], [math.nan]])
def test_what_is_no_ratio_is_refused(ratios: list[float]) -> None:
    with pytest.raises(ValueError):
        interval(ratios)


@pytest.mark.parametrize("seed", range(30))
def test_the_order_is_abba_or_baab_and_favours_nobody(seed: int) -> None:
    planned = turns(20, seed)
    for one, two in zip(planned[::2], planned[1::2], strict=True):
        assert one.order == two.order[::-1], "a machine that gets slower would favour one of them"
        assert {one.control, two.control} == set(SIDES), "the control would be of one cluster more than of the other"


def test_the_order_is_random_and_can_be_repeated() -> None:
    orders = {tuple(turn.order for turn in turns(8, seed)) for seed in range(300)}
    assert len(orders) == 16, "every order of four blocks has to come up"
    assert turns(20, 7) == turns(20, 7), "a benchmark could not be repeated by its seed"
    assert turns(20, 7)[:3] == turns(3, 7), "a quick benchmark could not be made longer"


@pytest.mark.parametrize(
    ("claim", "measured", "direction", "size"),
    [
        (FASTER, of(1.20, 1.30), Word.CONFIRMED, Word.CONFIRMED),
        (FASTER, of(1.02, 1.08), Word.CONFIRMED, Word.REFUTED),
        (FASTER, of(1.02, 1.30), Word.CONFIRMED, Word.NOT_SHOWN),
        # The null result: measured well, and there is nothing.
        (FASTER, of(0.98, 1.03), Word.REFUTED, Word.REFUTED),
        (FASTER, of(1.01, 1.04), Word.REFUTED, Word.REFUTED),
        (FASTER, of(0.80, 0.90), Word.REFUTED, Word.REFUTED),
        # Measured badly: it may be anything.
        (FASTER, of(0.80, 1.30), Word.NOT_SHOWN, Word.NOT_SHOWN),
        (FASTER, of(0.90, 1.03), Word.NOT_SHOWN, Word.REFUTED),
        (QUIETER, of(0.38, 0.43), Word.CONFIRMED, Word.CONFIRMED),
        (QUIETER, of(0.70, 0.80), Word.CONFIRMED, Word.REFUTED),
        (QUIETER, of(1.10, 1.20), Word.REFUTED, Word.REFUTED),
        (QUIETER, of(0.70, 1.20), Word.NOT_SHOWN, Word.REFUTED),
    ],
)
def test_a_verdict_means_its_word(claim: Claim, measured: Interval, direction: Word, size: Word) -> None:
    found = judge(claim, measured, SAME)
    assert (found.direction, found.size) == (direction, size), found.why


def test_a_control_that_sees_a_difference_where_there_is_none_ends_every_verdict() -> None:
    found = judge(FASTER, of(1.2, 1.3), of(1.02, 1.04))
    assert (found.direction, found.size) == (Word.NOT_SHOWN, Word.NOT_SHOWN)
    assert "control" in found.why, "the reader would not learn why a clear figure counts for nothing"


def test_what_is_mostly_no_network_shows_nothing_of_one() -> None:
    found = judge(FASTER, of(1.2, 1.3), SAME, insensitive=True)
    assert (found.direction, found.size) == (Word.NOT_SHOWN, Word.NOT_SHOWN)
    assert "without any network" in found.why


@pytest.mark.parametrize(
    ("measured", "control"),
    [(None, SAME), (of(1.2, 1.3), None), (of(1.2, 1.3), of(0.9, 1.1, 3)), (of(1.2, 1.3, 1), SAME)],
)
def test_what_was_not_measured_is_not_shown(measured: Interval | None, control: Interval | None) -> None:
    found = judge(FASTER, measured, control)
    assert (found.direction, found.size) == (Word.NOT_SHOWN, Word.NOT_SHOWN)


def test_equivalence_is_the_same_from_both_sides() -> None:
    edge = of(1 / MARGIN, MARGIN)
    assert judge(FASTER, edge, SAME).direction == judge(QUIETER, edge, SAME).direction == Word.REFUTED


def test_the_claims_are_the_articles_figures() -> None:
    sizes = {claim.key: claim.ratio for claim in ARTICLE}
    assert sizes["throughput"] == pytest.approx(1.15, abs=0.01)
    assert sizes["latency"] == pytest.approx(1 - 0.26, abs=0.005)
    assert sizes["cpu"] == pytest.approx(1 - 0.58, abs=0.005)
