"""Builds targets side by side, dependencies first, the longest first."""

from __future__ import annotations

import os
import select

from kit.errors import KitError
from kit.locks import try_lock
from kit.paths import Cache
from kit.progress import Progress
from kit.signals import Signals
from kit.target import Target, folder, keys
from kit.workshop import Job, Running, kill, sweep

HEAVY_AT_ONCE = 2
TICK_MS = 500


class Scheduler:
    """One run over `targets`, which are in order and complete (see target.closure)."""

    def __init__(self, targets: list[Target], cache: Cache, jobs: int | None = None) -> None:
        self.cache = cache
        self.slots = jobs or os.cpu_count() or 1
        by_key = keys(targets)
        cached = {target.name: folder(cache, target, by_key[target.name]) for target in targets if target.cached}
        self.jobs = {
            target.name: Job(
                target=target,
                key=by_key[target.name],
                cache=cache,
                deps={dep: cached[dep] for dep in target.deps if dep in cached},
            )
            for target in targets
        }
        self.running: dict[str, Running] = {}
        self.waiting: set[str] = set()
        self.done: set[str] = set()

    def run(self) -> None:
        """Build what is missing. Raises KitError at the first failure, Interrupted at a signal; no child is left."""
        sweep(self.cache)
        todo = self._missing()
        self.done = set(self.jobs) - todo
        if not todo:
            return
        self.progress = Progress(len(todo))
        with Signals() as signals:
            try:
                while todo - self.done:
                    signals.check()
                    self._start_what_can(todo)
                    self._wait(signals)
            except BaseException:
                kill(self.running.values())
                raise
        self.progress.summary(f"{len(todo)} built, {len(self.jobs) - len(todo)} were there already")

    def _missing(self) -> set[str]:
        """What has to run: what is not built, and what it needs where that is not cached (the engine)."""
        missing = {name for name, job in self.jobs.items() if job.target.cached and not job.present()}
        for name, job in self.jobs.items():
            if name not in missing and not job.checked():
                missing.add(name)
        return missing

    def _ready(self, todo: set[str]) -> list[str]:
        ready = [
            name
            for name in todo - self.done - set(self.running)
            if all(dep in self.done for dep in self.jobs[name].target.deps)
        ]
        return sorted(ready, key=lambda name: -self._length(name))

    def _length(self, name: str) -> int:
        """Seconds from this target's start to the end of the longest chain that waits for it."""
        after = [self._length(other) for other, job in self.jobs.items() if name in job.target.deps]
        return self.jobs[name].target.weight + max(after, default=0)

    def _start_what_can(self, todo: set[str]) -> None:
        self.waiting.clear()
        for name in self._ready(todo):
            job = self.jobs[name]
            heavy = sum(running.job.target.heavy for running in self.running.values())
            if len(self.running) >= self.slots:
                return
            if job.target.heavy and heavy >= HEAVY_AT_ONCE:
                continue
            lock = try_lock(job.lock)
            if lock is None:
                self.waiting.add(name)
                continue
            # Another kit may have built it while this one waited for the lock.
            if job.built():
                os.close(lock)
                self.progress.started(name, "found")
                self._finished(name)
                continue
            self.progress.started(name)
            self.running[name] = job.start(lock)

    def _wait(self, signals: Signals) -> None:
        """Until a child ends or a signal comes; a moment at most, for the display and for others' locks."""
        poll = select.poll()
        handles = {os.pidfd_open(running.process.pid): name for name, running in self.running.items()}
        for handle in (*handles, signals.handle):
            poll.register(handle, select.POLLIN)
        try:
            ended = [handles[handle] for handle, _ in poll.poll(TICK_MS) if handle in handles]
        finally:
            for handle in handles:
                os.close(handle)
        for name in ended:
            running = self.running.pop(name)
            if not running.finish():
                self.progress.failed(name, running.job.log)
                others = f"; cancelled: {', '.join(sorted(self.running))}" if self.running else ""
                raise KitError(f"{name} could not be built, see {running.job.log}{others}")
            self._finished(name)
        self.progress.beat(self.waiting)

    def _finished(self, name: str) -> None:
        self.done.add(name)
        self.progress.finished(name)
