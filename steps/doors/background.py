"""A process that runs beside the step, is heard as it speaks, and ends when it is left."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from typing import IO, cast

from steps.doors.process import ToolError, brief, spawn

# Seconds that a process gets to end by itself, once it is told to.
_TO_END = 5


class Background:
    """One such process. Raises ToolError as `process.run` does."""

    def __init__(self, shown: str, process: subprocess.Popen[str]) -> None:
        self._shown, self._process = shown, process
        self._said: list[str] = []
        self._printed: list[str] = []
        self._heard = Condition()
        self._silent = False
        out, err = cast("IO[str]", process.stdout), cast("IO[str]", process.stderr)
        self._readers = [
            Thread(target=self._read, args=(out, self._printed), daemon=True),
            Thread(target=self._read_errors, args=(err,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def said(self) -> str:
        """What it has said on stderr so far."""
        with self._heard:
            return "".join(self._said)

    def await_said(self, words: str, seconds: float) -> None:
        """Waits until it says `words` on stderr; fails when it ends without, or says nothing of it within `seconds`."""
        deadline = time.monotonic() + seconds
        with self._heard:
            while words not in "".join(self._said):
                left = deadline - time.monotonic()
                if self._silent or left <= 0:
                    raise self._error("ended" if self._silent else f"was not there within {seconds:g} s")
                self._heard.wait(left)

    def result(self, seconds: float) -> str:
        """stdout, once it has ended well; fails where it has not within `seconds`."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"`{self._shown}` did not end within {seconds:g} s") from error
        for reader in self._readers:
            reader.join(_TO_END)
        if code != 0:
            with self._heard:
                raise self._error(f"failed with {code}")
        return "".join(self._printed)

    def end(self) -> None:
        """Ends it, where it still runs."""
        self._process.terminate()
        try:
            self._process.wait(_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _error(self, how: str) -> ToolError:
        said = "".join(self._said).strip()[-4000:]
        return ToolError(f"`{self._shown}` {how}: {said or 'it said nothing'}", said)

    @staticmethod
    def _read(stream: IO[str], into: list[str]) -> None:
        with stream:
            into.extend(stream)

    def _read_errors(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._heard:
                    self._said.append(line)
                    self._heard.notify_all()
        with self._heard:
            self._silent = True
            self._heard.notify_all()


@contextmanager
def start(command: Sequence[str], *, stdin: str = "", env: Mapping[str, str] | None = None) -> Generator[Background]:
    """Starts `command`, gives it `stdin`, and ends it when the block is left."""
    process = spawn(command, env)
    background = Background(brief(command), process)
    try:
        # One that has ended before it read everything says why by itself.
        with suppress(BrokenPipeError), cast("IO[str]", process.stdin) as to:
            to.write(stdin)
        yield background
    finally:
        background.end()
