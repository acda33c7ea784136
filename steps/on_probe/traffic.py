"""Asks, at a steady rate, what a workload asks of a cluster's network, and writes down what came of it.

`traffic.py` probes; `traffic.py serve` is besides that a server that the probers ask. Kinds: `service` and `pod` (a
connection by way of the Service, and to each Pod behind it), `dns`, `api` and `held` (one connection that stays open).
A request is made when it is due, whether the one before has its answer or not: a prober that waited would ask least
just when the network is down. Configured by the environment; records as Record says.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Generator
from io import FileIO
from pathlib import Path

from traffic_api import Api, ready_pods
from traffic_held import hold
from traffic_loop import Loop, Wait, Work, every
from traffic_record import Record
from traffic_requests import cluster_domain, greet, nameserver, resolve
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
LOOK = 0.5  # seconds between two looks for a recording
# Requests of kind `pod` a second; each Pod is asked at HERTZ as long as that is not more. With 20 a Pod that was asked
# in every fourth turn showed gaps of 1.1 and 1.4 s where its prober had starved for 0.7 and 0.9 s; with 80 the nodes
# moved 10 % slower.
MOST_POD_REQUESTS = 40.0


class Prober:
    """What is asked in each turn. Owns what it knows of the Pods behind the Service."""

    def __init__(self, loop: Loop, record: Record) -> None:
        self._loop = loop
        self._record = record
        self._service = (os.environ["TRAFFIC_SERVICE_HOST"], int(os.environ["TRAFFIC_SERVICE_PORT"]))
        address = (os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"]))
        self._api = Api(address, Path(os.environ.get("CREDENTIALS", "/var/run/secrets/kubernetes.io/serviceaccount")))
        self._resolv_conf = Path(os.environ.get("RESOLV_CONF", "/etc/resolv.conf"))
        self._listed: tuple[float, dict[str, str]] = (0.0, {})  # when they were asked for, and name to address
        self._known: set[str] = set()
        self._turn = 0

    def start(self) -> None:
        """Probes whenever there is a recording; between two it only looks for one."""
        self._loop.start(every(LOOK, 0.0, self._look))

    def _look(self) -> None:
        log = self._record.look()
        if log is None:
            return
        phase = random.random()  # the probers of a cluster must not ask in step
        for period, ask in (
            (PERIOD, lambda: self._ask(log)),
            (API_PERIOD, lambda: self._measure(log, "api", "api", self._api.get("/livez"))),
            (1.0, lambda: self._loop.start(self._list_pods())),
        ):
            self._loop.start(every(period, phase * period, ask, lambda: self._record.log is log))
        self._loop.start(hold(self._record, log, self._service, PERIOD))

    def _measure(self, log: FileIO, kind: str, target: str, request: Generator[Wait, None, object]) -> None:
        self._loop.start(self._record.measure(log, kind, target, request))

    def _ask(self, log: FileIO) -> None:
        self._measure(log, "service", "service", greet(self._service))
        self._measure(log, "dns", "dns", self._resolve())
        self._ask_pods(log)

    def _resolve(self) -> Work:
        yield from resolve(nameserver(self._resolv_conf), cluster_domain(self._resolv_conf))

    def _list_pods(self) -> Work:
        since = time.monotonic()
        try:
            body = yield from self._api.get(SLICES + OF_SERVICE)
            self._listed = (since, ready_pods(body))
        except (OSError, ValueError, LookupError, TypeError) as error:
            sys.stderr.write(f"the Pods behind the Service: {error!r}\n")

    def _ask_pods(self, log: FileIO) -> None:
        since, pods = self._listed
        if time.monotonic() - since > STALE:
            pods = {}
        for gone in self._known - pods.keys():
            # It is not asked any more, so there is no gap until it comes back.
            self._record.write(log, "pod", gone, "closed")
        self._known = set(pods)
        names = sorted(pods)
        for _ in range(min(len(names), max(1, round(PERIOD * MOST_POD_REQUESTS)))):
            self._turn += 1
            name = names[self._turn % len(names)]
            self._measure(log, "pod", name, greet((pods[name], PORT)))


def main(serve: bool) -> None:
    """Probes until SIGTERM; a server then goes on answering for LAMEDUCK seconds."""
    loop = Loop()
    signal.signal(signal.SIGTERM, loop.end)
    record = Record(Path(os.environ.get("FOLDER", "/var/lib/cni-migration/traffic")), os.environ["POD_NAME"])
    server = Server(loop, os.environ["POD_NAME"], PORT) if serve else None
    if server is not None:
        loop.start(server.listen())
    Prober(loop, record).start()
    loop.run()
    record.end()
    if server is not None:
        server.drain()
        loop.run(until=time.monotonic() + LAMEDUCK)


if __name__ == "__main__":
    main("serve" in sys.argv[1:])
