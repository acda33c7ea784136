"""The kind `pod`: each Pod behind the Service, asked by its address."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from traffic_api import Api, ready_pods
from traffic_loop import Loop, Work
from traffic_record import Log, Record
from traffic_requests import Address, greet

STALE = 3.0  # seconds without an answer of the API, after which a Pod may have ended unseen


class Pods:
    """Owns what is known of the Pods behind the Service, in the EndpointSlices at `path`. Asks `most` in a turn."""

    def __init__(self, loop: Loop, record: Record, api: Api, path: str, port: int, most: int) -> None:
        self._loop, self._record, self._api = loop, record, api
        self._path, self._port, self._most = path, port, most
        self._listed = 0.0  # when the list was asked for
        self._pods: dict[str, tuple[str, str]] = {}  # name to address and node
        self._known: set[str] = set()
        self._turn = 0
        self._forgot = 0.0  # when

    def forget(self) -> None:
        """Nobody is known until the next look. Between two recordings nobody looks, and a node that was started again
        in a pause has given its Pods other addresses."""
        self._pods, self._known, self._forgot = {}, set(), time.monotonic()

    def look(self) -> Work:
        """Asks the API who is there. Where it gives no answer, those that were there are asked on: a silent API says
        nothing of them, and the gap that they have just now is not to be forgotten."""
        since = time.monotonic()
        try:
            body = yield from self._api.get(self._path)
            # The last recording's questions may have their answers in this one.
            if since >= self._forgot:
                self._pods, self._listed = ready_pods(body), since
        except (OSError, ValueError, LookupError, TypeError) as error:
            sys.stderr.write(f"the Pods behind the Service: {error!r}\n")

    def ask(self, log: Log) -> None:
        """One turn. Raises nothing."""
        for gone in self._known - self._pods.keys():
            # It is not asked any more, so there is no gap until it comes back.
            self._record.write(log, "pod", gone, "closed")
        self._known = set(self._pods)
        names = sorted(self._pods)
        for _ in range(min(len(names), self._most)):
            self._turn += 1
            name = names[self._turn % len(names)]
            request = greet((self._pods[name][0], self._port))
            self._loop.start(self._record.measure(log, "pod", name, request, self._doubtful))

    def on_nodes(self, is_there: Callable[[str], bool]) -> dict[str, Address]:
        """Names and addresses of those whose node is one of these."""
        return {name: (address, self._port) for name, (address, node) in self._pods.items() if is_there(node)}

    def _doubtful(self) -> bool:
        return time.monotonic() - self._listed > STALE
