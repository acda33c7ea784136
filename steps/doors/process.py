"""The one place that starts a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import IO, cast

from steps.doors.patience import at_most
from steps.running import StepError

# Seconds that a question may take; a wait brings its own.
PATIENCE = 120.0
# What Helm reads of these is where it keeps things; the others say which cluster, which namespace and how, and those
# are this project's to say.
_HELM_FOLDERS = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_REGISTRY_CONFIG")
_HELM_REPOSITORIES = ("HELM_REPOSITORY_CACHE", "HELM_REPOSITORY_CONFIG", "HELM_PLUGINS")


class ToolError(StepError):
    """A tool that failed, did not answer, or is not there. `said` is its stderr."""

    def __init__(self, sentence: str, said: str = "") -> None:
        super().__init__(sentence)
        self.said = said

    def says(self, *reasons: str) -> bool:
        """Whether the tool gave one of these reasons (NotFound, Conflict …)."""
        return any(reason in self.said for reason in reasons)


def environment(over: Mapping[str, str] | None = None) -> dict[str, str]:
    """The user's environment without what would make the same call do something else on another machine: a kuberc that
    asks before it deletes «cancels» every deletion, and ends well."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HELM_") or name in _HELM_FOLDERS or name in _HELM_REPOSITORIES
    }
    kept.pop("KUBECONFIG", None)
    # kind would look for the cluster in another engine than docker, and say that there is none.
    kept.pop("KIND_EXPERIMENTAL_PROVIDER", None)
    return {**kept, "KUBERC": "off", "KUBECTL_KUBERC": "false", **(over or {})}


def spawn(command: Sequence[str], env: Mapping[str, str] | None) -> subprocess.Popen[str]:
    """The process of `command`, with a pipe for each stream. Raises ToolError where there is no such program."""
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(env), text=True, errors="replace"
        )
    except FileNotFoundError as error:
        raise ToolError(f"{command[0]} is not on PATH; install it, or run `make toolchain`") from error


def brief(command: Sequence[str]) -> str:
    """The command as a message shows it."""
    return " ".join(command[:6]) + (" …" if len(command) > 6 else "")


def run(
    command: Sequence[str],
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    timeout: float = PATIENCE,
    show: bool = False,
) -> str:
    """stdout of `command`; with `show` its stderr is seen while it runs. Raises ToolError, with what it said, where it
    fails or gives no answer within `timeout` s."""
    shown, timeout = brief(command), at_most(timeout)
    with spawn(command, env) as process:
        # An interpreter that is told to end unwinds through here, and what it has started must not go on alone: the
        # step would wait for it to end by itself, and keep its kubeconfig meanwhile.
        try:
            heard = _Heard(process, show=show)
            out, code = heard.result(stdin, timeout)
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"`{shown}` gave no answer within {timeout:g} s") from error
        finally:
            if process.poll() is None:
                process.kill()
    if code != 0:
        said = (heard.said.strip() or out.strip())[-4000:]
        raise ToolError(f"`{shown}` failed: {said or f'exit {code}'}", said)
    return out


class _Heard:
    """What a process says on both streams, read side by side, so that neither stands still when it is full."""

    def __init__(self, process: subprocess.Popen[str], *, show: bool) -> None:
        self._process = process
        self._show = show
        self._lines: list[str] = []
        self._out: list[str] = []
        self._readers = [Thread(target=self._read_out, daemon=True), Thread(target=self._read_said, daemon=True)]
        for reader in self._readers:
            reader.start()

    @property
    def said(self) -> str:
        """stderr."""
        return "".join(self._lines)

    def result(self, stdin: str, timeout: float) -> tuple[str, int]:
        """stdout and the exit code."""
        # Written beside the wait: a process that does not read must not make this wait for ever.
        writer = Thread(target=self._write, args=(stdin,), daemon=True)
        writer.start()
        code = self._process.wait(timeout)
        for stream in (*self._readers, writer):
            # A grandchild may hold a stream open; what the process itself said is there. Without the wait for the
            # writer, Popen closes stdin under it, and raises for what a process that has ended did not read.
            stream.join(5)
        return "".join(self._out), code

    def _write(self, text: str) -> None:
        # One that has ended before it read everything says why by itself.
        with suppress(BrokenPipeError), cast("IO[str]", self._process.stdin) as to:
            to.write(text)

    def _read_out(self) -> None:
        self._out.extend(cast("IO[str]", self._process.stdout))

    def _read_said(self) -> None:
        for line in cast("IO[str]", self._process.stderr):
            self._lines.append(line)
            if self._show:
                sys.stderr.write(line)
                sys.stderr.flush()
