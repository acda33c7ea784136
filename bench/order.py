"""In which order two clusters are measured: ABBA or BAAB, at random, so that neither gains by a machine that warms up,
throttles or fills its disk meanwhile. Pure: the same seed, the same order."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Side = Literal["flannel", "cilium"]
SIDES: tuple[Side, Side] = ("flannel", "cilium")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One pair: both clusters in `order`, and the control, which is `control` twice. `control_first` says which of its
    two measurements is the numerator, so that a drift within the control is no bias of it."""

    number: int
    order: tuple[Side, Side]
    control: Side
    control_first: bool


def turns(pairs: int, seed: int) -> list[Turn]:
    """As many turns as `pairs`. Blocks of two (ABBA or BAAB); both clusters are control equally often. The first turns
    of a longer benchmark are those of a shorter one, so that it can be made longer."""
    return [_turn(number, seed) for number in range(pairs)]


def _turn(number: int, seed: int) -> Turn:
    block, second = divmod(number, 2)
    # A generator a block: a turn does not depend on how many came before. Text seeds are the same on every machine.
    dice = random.Random(f"{seed} {block}")
    swapped, control_swapped = dice.random() < 0.5, dice.random() < 0.5
    firsts = [dice.random() < 0.5, dice.random() < 0.5]
    ahead = SIDES if swapped == bool(second) else SIDES[::-1]
    return Turn(
        number=number,
        order=(ahead[0], ahead[1]),
        control=SIDES[control_swapped == bool(second)],
        control_first=firsts[second],
    )
