"""One thread that waits for many requests at once. A request is a generator that yields what it waits for: threads, a
task and a stream for each, took three times the CPU that there was to measure with."""

from __future__ import annotations

import math
import select
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
NEVER = math.inf

# A socket, READ or WRITE, and until when (time.monotonic()): the work goes on when the socket can, or gets a
# TimeoutError. Without a socket it goes on at that time.
Wait = tuple["socket.socket | None", int, float]
Work = Generator[Wait, None, None]


@dataclass(slots=True, eq=False)
class _Task:
    work: Work
    deadline: float = 0.0
    fd: int = -1  # -1: waits for a time only


class Loop:
    """Owns no socket: each belongs to its work, which closes it."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._reading: dict[int, _Task] = {}
        self._tasks: set[_Task] = set()
        self._ended = False

    def start(self, work: Work) -> None:
        """Runs the work until it waits, and from then on beside the others. What it raises ends the loop."""
        self._advance(_Task(work), None)

    def end(self, *_: object) -> None:
        """Makes `run` return once what is ready now is done. A signal handler."""
        self._ended = True

    def run(self, until: float = NEVER) -> None:
        """Returns at `until` (time.monotonic()), or after `end`."""
        self._ended = False
        while not self._ended:
            now = time.monotonic()
            if now >= until:
                return
            # An answer that came while nobody ran is there: it comes before the deadlines that passed meanwhile.
            self._take(0.0)
            for task in [task for task in self._tasks if task.deadline <= now]:
                self._advance(task, None if task.fd < 0 else TimeoutError("timed out"))
            due = min([until, *(task.deadline for task in self._tasks)])
            # Half a second at most: a signal does not end a poll. The time is not what it was before those works.
            pause = min(0.5, due - time.monotonic())
            self._take(max(0.0, pause))

    def _take(self, pause: float) -> None:
        for fd, _ in self._poll.poll(pause):
            task = self._reading.get(fd)
            if task is not None:
                self._advance(task, None)

    def _advance(self, task: _Task, error: OSError | None) -> None:
        self._tasks.discard(task)
        if task.fd >= 0:
            del self._reading[task.fd]
        try:
            sock, events, task.deadline = next(task.work) if error is None else task.work.throw(error)
        except StopIteration:
            return
        task.fd = -1 if sock is None else sock.fileno()
        if sock is not None:
            self._arm(task.fd, events | select.EPOLLONESHOT)
            self._reading[task.fd] = task
        self._tasks.add(task)

    def _arm(self, fd: int, events: int) -> None:
        try:
            self._poll.register(fd, events)
        except FileExistsError:
            self._poll.modify(fd, events)


def every(period: float, first: float, do: Callable[[], None], going: Callable[[], bool] = lambda: True) -> Work:
    """Calls `do` once in `period` seconds, for the first time after `first`, until it is not `going` any more. What
    comes too late is left out, not made up."""
    due = time.monotonic() + first
    while True:
        yield None, 0, due
        if not going():
            return
        do()
        now = time.monotonic()
        due = due + period if now - due < period else now + period
