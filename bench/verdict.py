"""What a benchmark says of a claim: confirmed, refuted, or not shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bench.claims import Claim
from bench.ratios import Interval

# Two networks that differ by less than this are as good as equal: nobody would migrate a cluster for it. As ratios, so
# that A/B and B/A get the same verdict.
MARGIN = 1.05


class Word(StrEnum):
    """«Refuted» is a finding, «not shown» is none: more pairs may decide it either way."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`direction`: is it better at all; `size`: by at least what the claim says (None where it names no size). `why` is
    a sentence for each."""

    direction: Word
    size: Word | None
    why: str

    def as_json(self) -> Mapping[str, str | None]:
        """As the results and the report show it."""
        return {"direction": self.direction, "size": self.size, "why": self.why}


def judge(claim: Claim, measured: Interval | None, control: Interval | None, *, insensitive: bool = False) -> Verdict:
    """Holds what was measured against the claim. `control` is one cluster against itself: where it does not hold 1, the
    benchmark sees differences that are none, and shows nothing. `insensitive` is what takes most of its time without
    any network: it shows nothing of one either."""
    unnamed = None if claim.ratio is None else Word.NOT_SHOWN
    if measured is None:
        return Verdict(direction=Word.NOT_SHOWN, size=unnamed, why="it was not measured")
    if measured.pairs < 2:
        return Verdict(direction=Word.NOT_SHOWN, size=unnamed, why="one pair has no interval")
    if control is None or control.pairs < measured.pairs:
        return Verdict(direction=Word.NOT_SHOWN, size=unnamed, why="the control is not as long as the measurement")
    if insensitive:
        why = "without any network it takes more than half of the time, so it says little about one"
        return Verdict(direction=Word.NOT_SHOWN, size=unnamed, why=why)
    if not control.holds(1):
        why = f"the control, one cluster against itself, is {shown(control)} and does not include 1"
        return Verdict(direction=Word.NOT_SHOWN, size=unnamed, why=why)
    # Seen as if more were better, so that there is one comparison and not two.
    gain = measured if claim.more_is_better else _inverse(measured)
    direction, why = _direction(gain)
    if claim.ratio is None:
        return Verdict(direction=direction, size=None, why=why)
    size, also = _size(gain, claim.ratio if claim.more_is_better else 1 / claim.ratio)
    return Verdict(direction=direction, size=size, why=f"{why}; {also}")


def shown(interval: Interval) -> str:
    """An interval as a person reads it."""
    return f"{interval.ratio:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _direction(gain: Interval) -> tuple[Word, str]:
    if gain.inside(1 / MARGIN, MARGIN):
        return Word.REFUTED, f"no difference: the whole interval is within ±{MARGIN - 1:.0%}"
    if gain.high < 1:
        return Word.REFUTED, "it is the other way round"
    if gain.low > 1:
        return Word.CONFIRMED, "the whole interval is on the claimed side of 1"
    return Word.NOT_SHOWN, "the interval includes 1, and reaches beyond the margin of equivalence"


def _size(gain: Interval, claimed: float) -> tuple[Word, str]:
    least = claimed / MARGIN
    if gain.low >= least:
        return Word.CONFIRMED, "the gain is at least as large as claimed, with the margin"
    if gain.high < least:
        return Word.REFUTED, "the gain is smaller than claimed, with the margin"
    return Word.NOT_SHOWN, "the claimed size is neither in reach of all of the interval nor beyond it"


def _inverse(interval: Interval) -> Interval:
    return Interval(ratio=1 / interval.ratio, low=1 / interval.high, high=1 / interval.low, pairs=interval.pairs)
