"""Says on stderr what is being built, how many targets are left and how long it has taken."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

HEARTBEAT = 30.0
TAIL = 40


def clock(seconds: float) -> str:
    """Minutes and seconds, as in 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """On a terminal one line that is written over; elsewhere a line at each start and end, and one every 30 s."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total = total
        self.stream = stream or sys.stderr
        self.began = self.spoke = time.monotonic()
        self.done = 0
        self.since: dict[str, float] = {}

    def started(self, name: str, why: str = "building") -> None:
        self.since[name] = time.monotonic()
        self._line(f"{why} {name} ({self.total - self.done} left)")

    def finished(self, name: str) -> None:
        self.done += 1
        self._line(f"{name} done in {clock(time.monotonic() - self.since.pop(name))} ({self.total - self.done} left)")

    def failed(self, name: str, log: Path) -> None:
        self._line(f"{name} FAILED; the end of {log}:")
        for line in log.read_text(errors="replace").splitlines()[-TAIL:]:
            print(f"  | {line}", file=self.stream)

    def beat(self, waiting: Iterable[str]) -> None:
        """Called a few times a second: redraws the terminal's line, or speaks where it has been silent."""
        now = time.monotonic()
        parts = [f"{name} {clock(now - since)}" for name, since in self.since.items()]
        parts += [f"{name} (another kit builds it)" for name in waiting]
        text = f"{clock(now - self.began)} {self.done}/{self.total}: {', '.join(parts)}"
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[K{text}"[:120])
            self.stream.flush()
        elif now - self.spoke >= HEARTBEAT:
            self._line(text)

    def summary(self, text: str) -> None:
        self._line(f"{text} in {clock(time.monotonic() - self.began)}")

    def _line(self, text: str) -> None:
        erase = "\r\x1b[K" if self.stream.isatty() else ""
        print(f"{erase}kit: {text}", file=self.stream, flush=True)
        self.spoke = time.monotonic()
