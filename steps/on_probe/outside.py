"""Asks a cluster's node ports from outside of it, and holds a connection by each node: the targets are the nodes.

Configured by the environment: TARGETS (`node=address:port`, with blanks between), HERTZ, and PROBER, RECORDING and
FOLDER: its name, and where it makes that recording at once. Records until SIGTERM, as Record says; ends by itself where
no node has an answer for IDLE seconds, since the cluster has gone then and nobody comes for the record.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from traffic_held import Held, hold
from traffic_loop import Loop, Work, every
from traffic_record import Log, Record
from traffic_requests import Address, greet
from traffic_server import Server

# New connections a second, by all nodes together, and as many pings over those that are held.
MOST_REQUESTS = 20.0
IDLE = 600.0
LOOK = 0.5  # seconds between two looks whether somebody still wants it


class Outside:
    """Asks each node in turn while `record` has a log; `control` is where it answers itself."""

    def __init__(self, loop: Loop, record: Record, targets: Mapping[str, Address], control: Address) -> None:
        self._loop = loop
        self._record = record
        self._targets = targets
        self._control = control
        self._answered = time.monotonic()

    def start(self, log: Log, period: float) -> None:
        """Goes on until the recording is over, or nobody has answered for IDLE seconds."""
        pace = max(period, len(self._targets) / MOST_REQUESTS)
        self._every(log, period, "control", "control", self._control)
        for node, address in self._targets.items():
            self._every(log, pace, "service", node, address)
            self._loop.start(hold(self._record, log, Held(node, max(pace, 0.2), service=address)))
        self._loop.start(every(LOOK, LOOK, self._look, lambda: self._record.log is log))

    def _every(self, log: Log, period: float, kind: str, target: str, address: Address) -> None:
        def ask() -> None:
            self._loop.start(self._record.measure(log, kind, target, self._greet(kind, address)))

        self._loop.start(every(period, random.random() * period, ask, lambda: self._record.log is log))

    def _greet(self, kind: str, address: Address) -> Work:
        yield from greet(address)
        if kind == "service":
            self._answered = time.monotonic()

    def _look(self) -> None:
        self._record.look()
        if self._record.log is None or time.monotonic() - self._answered > IDLE:
            self._loop.end()


def settled(loop: Loop, log: Log) -> Work:
    """Ends the loop once nothing is under way any more."""
    # It waits once in any case: an end from before `run` would be forgotten there.
    yield None, 0, time.monotonic()
    while log.under_way:
        yield None, 0, time.monotonic() + 0.05
    loop.end()


def targets(text: str) -> dict[str, Address]:
    """`node=address:port` by its node."""
    found: dict[str, Address] = {}
    for word in text.split():
        node, _, end = word.partition("=")
        host, _, port = end.rpartition(":")
        found[node] = (host, int(port))
    return found


def main() -> None:
    """Records from the first moment until it is told to end, and then waits for what is under way."""
    loop = Loop()
    signal.signal(signal.SIGTERM, loop.end)
    signal.signal(signal.SIGINT, loop.end)
    folder, period = Path(os.environ["FOLDER"]), 1 / float(os.environ["HERTZ"])
    folder.mkdir(parents=True, exist_ok=True)
    run = folder / "run"
    run.write_text(os.environ["RECORDING"])
    record = Record(folder, os.environ["PROBER"], period)
    log = record.look()
    if log is None:
        raise SystemExit(f"nothing can be written to {folder}")
    control = Server(loop, "control", 0, host="127.0.0.1")
    loop.start(control.listen())
    Outside(loop, record, targets(os.environ["TARGETS"]), control.address).start(log, period)
    loop.run()
    run.unlink(missing_ok=True)
    record.look()
    loop.start(settled(loop, log))
    loop.run()


if __name__ == "__main__":
    main()
