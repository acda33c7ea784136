"""Asks, at a steady rate, what a workload asks of a cluster's network, and writes down when each answer came.

`traffic.py` probes; `traffic.py serve` is besides that a server that the probers ask. Kinds: `service` and `pod` (a
connection by way of the Service, and to each Pod behind it), `dns`, `api` and `held` (one connection that stays open).
Configured by the environment; records as Record says.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from traffic_held import hold
from traffic_record import Record
from traffic_requests import Api, greet, nameserver, ready_pods, resolve
from traffic_server import Server

PORT = int(os.environ.get("PORT", "8090"))
PERIOD = 1 / float(os.environ["HERTZ"])
# Five times a second at most: a TLS handshake is the API server's work, and it is not what is to be measured.
API_PERIOD = max(PERIOD, 0.2)
NAMESPACE = os.environ.get("NAMESPACE", "cni-migration")
LAMEDUCK = float(os.environ.get("LAMEDUCK", "5"))  # seconds
SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"
OF_SERVICE = "?labelSelector=kubernetes.io/service-name=traffic"
STALE = 3.0  # seconds: a Pod that has ended meanwhile is no failure of the network
LEAST_TURN = 0.05  # seconds between two requests of kind `pod`


class Prober:
    """Owns the threads, one a kind. None of them ends by itself."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._service = (os.environ["TRAFFIC_SERVICE_HOST"], int(os.environ["TRAFFIC_SERVICE_PORT"]))
        self._api = (os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"]))
        self._credentials = Path(os.environ.get("CREDENTIALS", "/var/run/secrets/kubernetes.io/serviceaccount"))
        self._resolv_conf = Path(os.environ.get("RESOLV_CONF", "/etc/resolv.conf"))
        self._pods: tuple[float, dict[str, str]] = (0.0, {})  # when they were asked for, and name to address

    def start(self) -> None:
        """Starts to probe, as soon as the record is on."""
        api = Api(self._api, self._credentials)
        for work in (
            self._record.watch,
            lambda: self._ask("service", lambda: greet(self._service)),
            lambda: self._ask("dns", lambda: resolve(nameserver(self._resolv_conf))),
            lambda: self._ask("api", lambda: api.get("/livez"), API_PERIOD),
            self._list_pods,
            self._ask_pods,
            lambda: hold(self._record, self._service, PERIOD),
        ):
            threading.Thread(target=work, daemon=True).start()

    def _ask(self, kind: str, request: Callable[[], object], period: float = PERIOD) -> None:
        for log in self._record.ticks(lambda: period):
            self._record.measure(log, kind, kind, request)

    def _list_pods(self) -> None:
        api = Api(self._api, self._credentials)
        for _ in self._record.ticks(lambda: 1.0):
            since = time.monotonic()
            try:
                self._pods = (since, ready_pods(api.get(SLICES + OF_SERVICE)))
            except (OSError, ValueError, LookupError, TypeError) as error:
                sys.stderr.write(f"the Pods behind the Service: {error!r}\n")

    def _fresh_pods(self) -> dict[str, str]:
        since, pods = self._pods
        return pods if time.monotonic() - since <= STALE else {}

    def _turn(self) -> float:
        return min(PERIOD, max(PERIOD / max(1, len(self._fresh_pods())), LEAST_TURN))

    def _ask_pods(self) -> None:
        # Each Pod at HERTZ, in turns, as long as that is not too many: asked less often, each would show a gap of the
        # length of a turn.
        known: set[str] = set()
        turn = 0
        for log in self._record.ticks(self._turn):
            pods = self._fresh_pods()
            for gone in known - pods.keys():
                # It is not asked any more, so there is no gap until it comes back.
                self._record.write(log, time.time(), "pod", gone, "closed")
            known = set(pods)
            if pods:
                turn += 1
                name = sorted(pods)[turn % len(pods)]
                address = (pods[name], PORT)
                self._record.measure(log, "pod", name, lambda address=address: greet(address))


def end_with(args: threading.ExceptHookArgs) -> None:
    """A thread that dies would leave its kind unmeasured without a word; the kubelet starts the whole again instead."""
    threading.__excepthook__(args)
    os._exit(1)


async def main(serve: bool) -> None:
    """Probes until SIGTERM; a server then goes on answering for LAMEDUCK seconds."""
    threading.excepthook = end_with
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    server = Server(os.environ["POD_NAME"]) if serve else None
    if server is not None:
        await server.listen(PORT)
    record = Record(Path(os.environ.get("FOLDER", "/var/lib/cni-migration/traffic")), os.environ["POD_NAME"])
    Prober(record).start()
    await ended.wait()
    record.end()
    if server is not None:
        await server.drain(LAMEDUCK)


if __name__ == "__main__":
    asyncio.run(main("serve" in sys.argv[1:]))
