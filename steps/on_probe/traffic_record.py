"""The record of a prober: when it is kept, and how a line of it looks."""

from __future__ import annotations

import errno
import re
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from traffic_loop import Wait, Work

# A recording that nobody ends (an `up` that failed and was not repeated) ends by itself. Fifty nodes that move one
# after the other take more than an hour.
_LONGEST = 6 * 3600.0  # seconds
# Other Pods may write to the folder, too: what is no name of a recording names none.
_NAME = re.compile(r"[0-9A-Za-z]{0,32}-[0-9]{1,10}")


def named(error: OSError) -> str:
    """By its errno, or by its class where it has none."""
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


@dataclass(eq=False)
class Log:
    """One recording's file. `under_way` are requests that still have a line to write; `over` says that no more begin,
    `lost` that a line could not be written: then nothing more is, so that the loss can be seen."""

    file: FileIO
    under_way: int = 0
    over: bool = False
    lost: bool = False


class Record:
    """Owns FOLDER/<recording>/<prober>.log. Records while FOLDER/run is there, which holds the recording's name;
    nothing is asked before and after. A line: when the request ended in ms since the Unix epoch, prober, kind, target,
    outcome (`ok`, `failed:` with its errno, …), duration in ms.

    The prober's own lines have the target and the outcome `-`: `begin` (its duration is the time between two requests
    of a kind), `beat`, `end` where the prober was told to end, and `done` where the recording has ended and nothing is
    under way any more."""

    def __init__(self, folder: Path, prober: str, period: float) -> None:
        self._folder = folder
        self._prober = prober
        self._period = period
        self._name = ""
        self._ended = False
        self.log: Log | None = None

    def look(self) -> Log | None:
        """Looks for FOLDER/run; `log` is what to write to from now on. Returns it where a recording begins."""
        name = "" if self._ended else self._wanted()
        if name == self._name:
            return None
        before, self.log, self._name = self.log, None, name
        if before is not None:
            # Not closed here: a request that is under way still has its line to write.
            before.over = True
            self._settle(before)
        self.log = self._open(name) if name else None
        return self.log

    def end(self) -> None:
        """Writes a last line and nothing more: what this prober's own end breaks is no failure of the network."""
        if self.log is not None:
            self.write(self.log, "end", "-", "-")
        self._ended = True
        self.log = None

    @contextmanager
    def under_way(self, log: Log) -> Generator[None]:
        """What may still write a line; the last one of a recording that is over says that it is done."""
        log.under_way += 1
        try:
            yield
        finally:
            log.under_way -= 1
            self._settle(log)

    def measure(
        self,
        log: Log,
        kind: str,
        target: str,
        request: Generator[Wait, None, object],
        doubtful: Callable[[], bool] = lambda: False,
    ) -> Work:
        """Makes the request and writes its line: ok, or failed and by what; `doubt` for failed where it is `doubtful`
        whether the target is still there."""
        since = time.monotonic()
        with self.under_way(log):
            try:
                yield from request
                outcome = "ok"
            except OSError as error:
                failed = "doubt" if doubtful() else "failed"
                outcome = f"{failed}:{named(error)}"
                sys.stderr.write(f"{kind} {target}: {error!r}\n")
            self.write(log, kind, target, outcome, time.monotonic() - since)

    def write(self, log: Log, kind: str, target: str, outcome: str, seconds: float = 0.0) -> None:
        """Appends one line, whole: the log is not buffered. A disk that is full ends the record and not the prober,
        which others ask."""
        if self._ended or log.lost:
            return
        line = f"{time.time() * 1000:.0f} {self._prober} {kind} {target} {outcome} {seconds * 1000:.0f}\n".encode()
        try:
            log.lost = log.file.write(line) != len(line)
        except OSError as error:
            sys.stderr.write(f"{log.file.name}: {error!r}\n")
            log.lost = True

    def _settle(self, log: Log) -> None:
        if log.over and not log.under_way:
            self.write(log, "done", "-", "-")

    def _wanted(self) -> str:
        run = self._folder / "run"
        try:
            if time.time() - run.stat().st_mtime > _LONGEST:
                return ""
            name = run.read_text().strip()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{run}: {error!r}\n")
            return self._name  # a question that failed: what was, stays
        return name if _NAME.fullmatch(name) else ""

    def _open(self, name: str) -> Log | None:
        folder = self._folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            log = Log(file=FileIO(folder / f"{self._prober}.log", "ab"))
        except OSError as error:
            sys.stderr.write(f"{folder}: {error!r}\n")
            return None
        # What comes before this line and what comes after it have no gap between them that the network made.
        self.write(log, "begin", "-", "-", self._period)
        return log
