"""The kind `held`: one connection through the Service that stays open, with a ping and its echo at the usual rate."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from io import FileIO
from socket import socket
from typing import BinaryIO

from traffic_record import Record
from traffic_requests import Address, connect

SILENCE = 10.0  # seconds without an echo, after which a connection is broken


def hold(record: Record, service: Address, period: float) -> None:
    """Holds a connection while it is recorded, and makes a new one when it ends; never returns. An echo is a line `ok`;
    an end is one line `closed` where the server said bye before, and `broken` where it did not."""
    for log in record.ticks(lambda: period):
        with ExitStack() as held:
            try:
                sock = held.enter_context(connect(service))
                lines = held.enter_context(sock.makefile("rb"))
                named = lines.readline()
            except OSError:
                continue  # the kind `service` counts that
            if named:
                sock.settimeout(SILENCE)
                _ping(record, log, sock, lines, period)


def _ping(record: Record, log: FileIO, sock: socket, lines: BinaryIO, period: float) -> None:
    due = time.monotonic()
    while record.keeps(log):
        start, since = time.time(), time.monotonic()
        try:
            sock.sendall(b"ping\n")
            line = lines.readline()
        except OSError as error:
            line = repr(error).encode()
        outcome = {b"ping\n": "ok", b"bye\n": "closed"}.get(line, "broken")
        record.write(log, start, "held", "service", outcome, time.monotonic() - since)
        if outcome != "ok":
            sys.stderr.write(f"held service: {outcome}: {line!r}\n")
            return
        due = max(due + period, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
