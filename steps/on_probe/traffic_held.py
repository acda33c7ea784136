"""The kind `held`: one connection through the Service that stays open, with a ping and its echo at the usual rate."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import suppress
from socket import socket

from traffic_loop import Wait, Work
from traffic_record import Log, Record
from traffic_requests import TIMEOUT, Address, connect, receive

SILENCE = 10.0  # seconds without an echo, after which a connection is broken


def hold(record: Record, log: Log, service: Address, period: float) -> Work:
    """Holds a connection while it is recorded in this log, and makes a new one when it ends. An echo is a line `ok`; an
    end is one line `closed` where the server said bye before, and `broken` where it did not."""
    with record.under_way(log):
        while record.log is log:
            with suppress(OSError):  # no connection came about; the kind `service` counts that
                yield from _hold_one(record, log, service, period)
            yield None, 0, time.monotonic() + period


def _hold_one(record: Record, log: Log, service: Address, period: float) -> Work:
    with connect(service) as sock:
        lines = _Lines(sock)
        if not (yield from lines.next(TIMEOUT)):
            return
        due = time.monotonic()
        while record.log is log:
            since = time.monotonic()
            try:
                sock.send(b"ping\n")
                line = yield from lines.next(SILENCE)
            except OSError as error:
                line = repr(error).encode()
            outcome = {b"ping\n": "ok", b"bye\n": "closed"}.get(line, "broken")
            record.write(log, "held", "service", outcome, time.monotonic() - since)
            if outcome != "ok":
                sys.stderr.write(f"held service: {outcome}: {line!r}\n")
                return
            due = max(due + period, time.monotonic())
            yield None, 0, due


class _Lines:
    """Reads line by line; what is left of the last is empty or has no end."""

    def __init__(self, sock: socket) -> None:
        self._sock = sock
        self._rest = b""

    def next(self, seconds: float) -> Generator[Wait, None, bytes]:
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            more = yield from receive(self._sock, 4096, deadline)
            if not more:
                break
            self._rest += more
        line, end, self._rest = self._rest.partition(b"\n")
        return line + end
