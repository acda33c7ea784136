"""How long this process has for all of its questions together. For who has to end in time whatever is silent: the
waits of single questions add up to more."""

from __future__ import annotations

import math
import time


class _Patience:
    until = math.inf


def give_up_after(seconds: float) -> None:
    """From now on no question of this process waits for longer than until then."""
    _Patience.until = time.monotonic() + seconds


def at_most(timeout: float) -> float:
    """`timeout` in seconds, or what is left where that is less."""
    left = _Patience.until - time.monotonic()
    return timeout if timeout <= left else round(max(left, 0.1), 1)
