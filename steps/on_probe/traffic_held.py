"""The kind `held`: connections that stay open, each with a ping and its echo at a steady rate.

A prober holds one through the Service to whomever it leads (`service`), and one of each class: to a Pod by its address
and by way of the Service, on its own node and on another. The target says the class, `FROM-to-WHAT-WHERE`: from `pod`
or `host` (its network), to `pod` or `service`, `same-node` or `other-node`. `FROM-to-api` leads out of the Pod network:
what a Pod sends there by the API's Service is masqueraded besides.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from socket import socket

from traffic_api import Api
from traffic_loop import Wait, Work
from traffic_pods import Pods
from traffic_record import Log, Record
from traffic_requests import TIMEOUT, Address, connect, receive

SILENCE = 10.0  # seconds without an echo, after which a connection is broken


@dataclass(frozen=True)
class Held:
    """One class, with a ping in `period` seconds: `pods` are those that the connection may end at, by name, where it
    may not end at any; `service` is the way to them, where it is not by their own addresses."""

    target: str
    period: float
    pods: Callable[[], dict[str, Address]] | None = None
    service: Address | None = None

    def addresses(self) -> list[Address]:
        """Where to connect to, to have one: through the Service it ends at one of these Pods by chance."""
        if self.pods is not None:
            pods = self.pods()
            if self.service is None or not pods:
                return [pods[name] for name in sorted(pods)][:1]
        return [self.service] if self.service else []

    def may_be(self, name: str) -> bool:
        """Whether it may end at this Pod."""
        return bool(name) if self.pods is None else name in self.pods()


def classes(origin: str, node: str, pods: Pods, service: Address, period: float) -> list[Held]:
    """Each class with Pods, of a prober on `node` whose network is `origin`. Those to Pods that it has to know first
    have at most five pings a second: there are four of them."""

    def here(other: str) -> bool:
        return other == node

    def elsewhere(other: str) -> bool:
        return other != node

    slow = max(period, 0.2)
    return [
        Held("service", period, service=service),
        Held(f"{origin}-to-pod-same-node", slow, lambda: pods.on_nodes(here)),
        Held(f"{origin}-to-pod-other-node", slow, lambda: pods.on_nodes(elsewhere)),
        Held(f"{origin}-to-service-same-node", slow, lambda: pods.on_nodes(here), service),
        Held(f"{origin}-to-service-other-node", slow, lambda: pods.on_nodes(elsewhere), service),
    ]


def hold(record: Record, log: Log, held: Held) -> Work:
    """Holds a connection while it is recorded in this log, and makes a new one when it ends. An echo is a line `ok`; an
    end is one line `closed` where the server said bye before, and `broken` where it did not."""
    with record.under_way(log):
        while record.log is log:
            for address in held.addresses():
                with suppress(OSError):  # no connection came about; the kinds `service` and `pod` count that
                    yield from _hold_one(record, log, held, address)
            yield None, 0, time.monotonic() + held.period


def hold_api(record: Record, log: Log, target: str, period: float, api: Api) -> Work:
    """The same with the API, whose answer is the echo; it says bye by ending the connection, or that it will."""
    with record.under_way(log):
        while record.log is log:
            with suppress(OSError):  # the kind `api` counts that
                yield from _hold_api(record, log, target, period, api)
            yield None, 0, time.monotonic() + period


def _hold_one(record: Record, log: Log, held: Held, address: Address) -> Work:
    with connect(address) as sock:
        lines = _Lines(sock)
        name = (yield from lines.next(TIMEOUT)).decode(errors="replace").strip()

        def ping() -> Generator[Wait, None, str]:
            sock.send(b"ping\n")
            line = yield from lines.next(SILENCE)
            return {b"ping\n": "ok", b"bye\n": "closed"}.get(line, f"broken: {line!r}")

        if held.may_be(name):
            yield from _go_on(record, log, held.target, held.period, ping)


def _hold_api(record: Record, log: Log, target: str, period: float, api: Api) -> Work:
    with (yield from api.open(time.monotonic() + TIMEOUT)) as secured:

        def ping() -> Generator[Wait, None, str]:
            stays = yield from api.ask(secured, "/livez", time.monotonic() + SILENCE)
            return "ok" if stays else "closed"

        yield from _go_on(record, log, target, period, ping)


def _go_on(
    record: Record, log: Log, target: str, period: float, ping: Callable[[], Generator[Wait, None, str]]
) -> Work:
    """Pings until the recording is over or a ping has another end than `ok`."""
    due = time.monotonic()
    while record.log is log:
        since = time.monotonic()
        try:
            said = yield from ping()
        except OSError as error:
            said = f"broken: {error!r}"
        outcome = said.partition(":")[0]
        record.write(log, "held", target, outcome, time.monotonic() - since)
        if outcome != "ok":
            sys.stderr.write(f"held {target}: {said}\n")
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
