"""The record of a prober: when it is kept, at which rate, and how a line of it looks."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path

from traffic_requests import TIMEOUT

_LOOK = 0.5  # seconds between two looks for FOLDER/run
# A recording that nobody ends (an `up` that failed and was not repeated) ends by itself.
_LONGEST = 3600.0  # seconds


class Record:
    """Owns FOLDER/<epoch>/<prober>.log. Records while FOLDER/run is there, which holds the epoch; nothing is asked
    before and after. A line: start in ms since the Unix epoch, prober, kind, target, outcome, duration in ms."""

    def __init__(self, folder: Path, prober: str) -> None:
        self._folder = folder
        self._prober = prober
        self._epoch = ""
        self._log: FileIO | None = None
        self._on = threading.Event()
        self._ended = False

    def watch(self) -> None:
        """Looks for FOLDER/run, for ever."""
        while True:
            epoch = self._wanted()
            if epoch != self._epoch:
                self._on.clear()
                # Not closed here: a request that is under way still has its line to write.
                self._log = self._open(epoch) if epoch else None
                self._epoch = epoch
                if epoch:
                    self._on.set()
            time.sleep(_LOOK)

    def end(self) -> None:
        """Writes nothing more: what this prober's own end breaks is no failure of the network."""
        self._ended = True
        self._on.clear()

    def keeps(self, log: FileIO) -> bool:
        """Whether it still records, and in this log."""
        return self._on.is_set() and self._log is log

    def ticks(self, period: Callable[[], float]) -> Iterator[FileIO]:
        """The log, once in `period()` seconds while it records. A tick that comes too late is left out, not made up."""
        due = time.monotonic() + random.random() * period()  # the threads of all probers must not ask in step
        while True:
            time.sleep(max(0.0, due - time.monotonic()))
            self._on.wait()
            now, step = time.monotonic(), period()
            due = due + step if now - due < step else now + step
            log = self._log
            if log is not None:
                yield log

    def measure(self, log: FileIO, kind: str, target: str, request: Callable[[], object]) -> None:
        """Makes the request and writes its line: ok, or failed."""
        start, since = time.time(), time.monotonic()
        try:
            request()
        except OSError as error:
            outcome = "failed"
            sys.stderr.write(f"{kind} {target}: {error}\n")
        else:
            outcome = "ok" if time.monotonic() - since <= TIMEOUT else "failed"
        self.write(log, start, kind, target, outcome, time.monotonic() - since)

    def write(self, log: FileIO, start: float, kind: str, target: str, outcome: str, seconds: float = 0.0) -> None:
        """Appends one line, whole: the log is not buffered."""
        if not self._ended:
            log.write(f"{start * 1000:.0f} {self._prober} {kind} {target} {outcome} {seconds * 1000:.0f}\n".encode())

    def _wanted(self) -> str:
        run = self._folder / "run"
        try:
            if time.time() - run.stat().st_mtime > _LONGEST:
                return ""
            epoch = run.read_text().strip()
        except FileNotFoundError:
            return ""
        return epoch if epoch.isdecimal() else ""

    def _open(self, epoch: str) -> FileIO:
        folder = self._folder / epoch
        folder.mkdir(parents=True, exist_ok=True)
        log = FileIO(folder / f"{self._prober}.log", "ab")
        # What comes before this line and what comes after it have no gap between them that the network made.
        self.write(log, time.time(), "begin", "-", "-")
        return log
