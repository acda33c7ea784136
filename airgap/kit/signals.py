"""Signals that end a run, seen where the run is ready to see them, so that no child is lost between two lines."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """A signal came; `number` is its number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Signals:
    """While it is entered, ending signals are noted and make `handle` readable, instead of ending the process."""

    def __enter__(self) -> Signals:
        self._number = 0
        self.handle, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = signal.set_wakeup_fd(self._writer)
        self._before = {number: signal.signal(number, self._note) for number in ENDING}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self.handle)
        os.close(self._writer)

    def check(self) -> None:
        """Raises Interrupted where a signal has come."""
        if self._number:
            raise Interrupted(self._number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._number = number
