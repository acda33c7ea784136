"""The record of a prober: when it is kept, and how a line of it looks."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Generator
from io import FileIO
from pathlib import Path

from traffic_loop import Wait, Work

# A recording that nobody ends (an `up` that failed and was not repeated) ends by itself.
_LONGEST = 3600.0  # seconds


class Record:
    """Owns FOLDER/<epoch>/<prober>.log. Records while FOLDER/run is there, which holds the epoch; nothing is asked
    before and after. A line: when the request ended in ms since the Unix epoch, prober, kind, target, outcome (`ok`,
    `failed:` with its errno, …), duration in ms."""

    def __init__(self, folder: Path, prober: str) -> None:
        self._folder = folder
        self._prober = prober
        self._epoch = ""
        self._ended = False
        self.log: FileIO | None = None

    def look(self) -> FileIO | None:
        """Looks for FOLDER/run; `log` is what to write to from now on. Returns it where a recording begins."""
        epoch = "" if self._ended else self._wanted()
        if epoch == self._epoch:
            return None
        # Not closed here: a request that is under way still has its line to write.
        self.log = self._open(epoch) if epoch else None
        self._epoch = epoch
        return self.log

    def end(self) -> None:
        """Writes nothing more: what this prober's own end breaks is no failure of the network."""
        self._ended = True
        self.log = None

    def measure(self, log: FileIO, kind: str, target: str, request: Generator[Wait, None, object]) -> Work:
        """Makes the request and writes its line: ok, or failed and by what."""
        since = time.monotonic()
        try:
            yield from request
            outcome = "ok"
        except OSError as error:
            outcome = f"failed:{errno.errorcode.get(error.errno or 0, type(error).__name__)}"
            sys.stderr.write(f"{kind} {target}: {error!r}\n")
        self.write(log, kind, target, outcome, time.monotonic() - since)

    def write(self, log: FileIO, kind: str, target: str, outcome: str, seconds: float = 0.0) -> None:
        """Appends one line, whole: the log is not buffered."""
        if not self._ended:
            now = time.time() * 1000
            log.write(f"{now:.0f} {self._prober} {kind} {target} {outcome} {seconds * 1000:.0f}\n".encode())

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
        self.write(log, "begin", "-", "-")
        return log
