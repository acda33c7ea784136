"""One target's build: its folder, its environment, its process group, its log."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kit.locks import try_lock
from kit.paths import Cache
from kit.target import Target, folder

PARTIAL = ".partial"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A target with its key, and everything its command needs."""

    target: Target
    key: str
    cache: Cache
    # Each cached dependency's output folder, by the dependency's name.
    deps: Mapping[str, Path]

    @property
    def out(self) -> Path:
        return folder(self.cache, self.target, self.key)

    @property
    def partial(self) -> Path:
        """Where the output grows until it is whole; renamed to `out` then."""
        return self.out.with_name(self.out.name + PARTIAL)

    @property
    def log(self) -> Path:
        return self.cache.logs / f"{self.target.name}.log"

    @property
    def lock(self) -> Path:
        # An uncached target (the engine) is one for the machine, whatever the key.
        name = self.out.name if self.target.cached else self.target.name
        return self.cache.locks / f"{name}.lock"

    def environment(self, out: Path) -> dict[str, str]:
        """The environment of the target's command."""
        env = {**os.environ, "KEY": self.key, "OUT": str(out)}
        env |= {f"DEP_{name.upper().replace('-', '_')}": str(path) for name, path in self.deps.items()}
        env |= {f"PIN_{name}": value for name, value in self.target.pins.items()}
        return env

    def built(self) -> bool:
        """Whether there is nothing to do. Runs the target's check."""
        return self.present() and self.checked()

    def present(self) -> bool:
        return self.out.is_dir() if self.target.cached else True

    def checked(self) -> bool:
        if not self.target.check:
            return True
        command = ["bash", "-c", self.target.check]
        env, quiet = self.environment(self.out), subprocess.DEVNULL
        return subprocess.run(command, check=False, env=env, stdout=quiet, stderr=quiet).returncode == 0

    def start(self, lock: int) -> Running:
        """Start the command in a process group of its own. The caller holds `lock`."""
        restoring = self.target.cached and self.present() and bool(self.target.restore)
        out = self.out if restoring or not self.target.cached else self.partial
        if self.target.cached and not restoring:
            for stale in (self.partial, self.out):
                if stale.exists():
                    shutil.rmtree(stale)
            out.mkdir(parents=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        log = self.log.open("wb")
        process = subprocess.Popen(
            self.target.restore if restoring else self.target.command,
            env=self.environment(out),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # The engine's daemon would keep the lock for its whole life.
            pass_fds=(lock,) if self.target.cached else (),
        )
        return Running(job=self, process=process, log=log, lock=lock, renames=out == self.partial)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A started job. Owns its process group, its log and its lock."""

    job: Job
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    lock: int
    renames: bool

    def finish(self) -> bool:
        """Take the result of a process that has ended: keep the output where it succeeded. Releases the lock."""
        succeeded = self.process.wait() == 0
        self.log.close()
        if succeeded and self.renames:
            self.job.partial.rename(self.job.out)
        if succeeded and not self.job.checked():
            with self.job.log.open("a") as log:
                print(f"the command succeeded, but its check fails: {self.job.target.check}", file=log)
            succeeded = False
        os.close(self.lock)
        return succeeded

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return  # All of the group has ended by itself.


def kill(runnings: Iterable[Running], grace: float = 10) -> None:
    """End the process groups: SIGTERM, and after `grace` seconds SIGKILL to what is left. Releases their locks."""
    group = list(runnings)
    for running in group:
        running.signal(signal.SIGTERM)
    deadline = time.monotonic() + grace
    for running in group:
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(max(0.0, deadline - time.monotonic()))
    for running in group:
        running.signal(signal.SIGKILL)
        running.process.wait()
        running.log.close()
        os.close(running.lock)


def sweep(cache: Cache) -> None:
    """Remove what builds left behind that were killed: partial folders that no living process holds the lock of."""
    for partial in cache.out.glob(f"*{PARTIAL}"):
        lock = try_lock(cache.locks / f"{partial.name.removesuffix(PARTIAL)}.lock")
        if lock is None:
            continue
        # Its build may have ended behind the look, and have made it the target's own folder.
        if partial.exists():
            shutil.rmtree(partial)
        os.close(lock)
