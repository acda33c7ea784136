"""Asks, at a steady rate, what a workload asks of a cluster's network, and writes down what came of it.

`traffic.py` probes; `traffic.py serve` is besides that a server that the probers ask. Kinds: `service` and `pod` (a
connection by way of the Service, and to each Pod behind it), `dns`, `api`, `held` (connections that stay open),
`control` (a connection to itself over loopback: what that misses as well, no network made) and `api-control` (the same
of an API server, from its own node).
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
from pathlib import Path

from traffic_api import Api
from traffic_control import control_api
from traffic_held import classes, hold, hold_api
from traffic_loop import Loop, Wait, Work, every
from traffic_pods import Pods
from traffic_record import Log, Record
from traffic_requests import Address, cluster_domain, greet, nameserver, resolve
from traffic_server import Server

PORT = int(os.environ.get("PORT", "8090"))
PERIOD = 1 / float(os.environ["HERTZ"])
# Five times a second at most, and as often over the connection that is held: its work is not what is to be measured.
API_PERIOD = max(PERIOD, 0.2)
NAMESPACE = os.environ.get("NAMESPACE", "cni-migration")
LAMEDUCK = float(os.environ.get("LAMEDUCK", "5"))  # seconds
SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"
OF_SERVICE = "?labelSelector=kubernetes.io/service-name=traffic"
LOOK = 0.5  # seconds between two looks for a recording
BEAT = 0.5  # seconds between two lines that say that this prober is there: without them silence would pass for calm
# Requests of kind `pod` a second; each Pod is asked at HERTZ as long as that is not more. With 20 a Pod that was asked
# in every fourth turn showed gaps of 1.1 and 1.4 s where its prober had starved for 0.7 and 0.9 s; with 80 the nodes
# moved 10 % slower.
MOST_POD_REQUESTS = 40.0


class Prober:
    """What is asked in each turn. `control` is where it answers itself; `origin` is its network, pod or host."""

    def __init__(self, loop: Loop, record: Record, control: Address, origin: str) -> None:
        self._loop = loop
        self._record = record
        self._control = control
        self._service = (os.environ["TRAFFIC_SERVICE_HOST"], int(os.environ["TRAFFIC_SERVICE_PORT"]))
        address = (os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"]))
        credentials = Path(os.environ.get("CREDENTIALS", "/var/run/secrets/kubernetes.io/serviceaccount"))
        self._api = Api(address, credentials)
        # Its own node's, if there is one: the address of a node is loopback to itself.
        own = os.environ.get("HOST_IP")
        self._own_api = Api((own, int(os.environ["API_PORT"])), credentials) if own else None
        self._resolv_conf = Path(os.environ.get("RESOLV_CONF", "/etc/resolv.conf"))
        most = max(1, round(PERIOD * MOST_POD_REQUESTS))
        self._pods = Pods(loop, record, self._api, SLICES + OF_SERVICE, PORT, most)
        self._held = classes(origin, os.environ.get("NODE_NAME", ""), self._pods, self._service, PERIOD)
        self._to_api = f"{origin}-to-api"

    def start(self) -> None:
        """Probes whenever there is a recording; between two it only looks for one."""
        self._loop.start(every(LOOK, 0.0, self._look))

    def _look(self) -> None:
        log = self._record.look()
        if log is None:
            return
        self._pods.forget()
        self._loop.start(self._pods.look())
        phase = random.random()  # the probers of a cluster must not ask in step
        for period, ask in (
            (BEAT, lambda: self._record.write(log, "beat", "-", "-")),
            (PERIOD, lambda: self._ask(log)),
            (API_PERIOD, lambda: self._measure(log, "api", "api", self._api.get("/livez"))),
            (1.0, lambda: self._loop.start(self._pods.look())),
        ):
            self._loop.start(every(period, phase * period, ask, lambda: self._record.log is log))
        for held in self._held:
            self._loop.start(hold(self._record, log, held))
        self._loop.start(hold_api(self._record, log, self._to_api, API_PERIOD, self._api))
        if self._own_api is not None:
            self._loop.start(control_api(self._record, log, API_PERIOD, self._own_api))

    def _measure(self, log: Log, kind: str, target: str, request: Generator[Wait, None, object]) -> None:
        self._loop.start(self._record.measure(log, kind, target, request))

    def _ask(self, log: Log) -> None:
        self._measure(log, "control", "control", greet(self._control))
        self._measure(log, "service", "service", greet(self._service))
        self._measure(log, "dns", "dns", self._resolve())
        self._pods.ask(log)

    def _resolve(self) -> Work:
        yield from resolve(nameserver(self._resolv_conf), cluster_domain(self._resolv_conf))


def main(serve: bool) -> None:
    """Probes until SIGTERM; a server then goes on answering for LAMEDUCK seconds."""
    loop = Loop()
    signal.signal(signal.SIGTERM, loop.end)
    record = Record(Path(os.environ.get("FOLDER", "/var/lib/cni-migration/traffic")), os.environ["POD_NAME"], PERIOD)
    control = Server(loop, "control", 0, host="127.0.0.1")
    loop.start(control.listen())
    server = Server(loop, os.environ["POD_NAME"], PORT) if serve else None
    if server is not None:
        loop.start(server.listen())
    # Who serves is on the Pod network, and who only asks on the host's.
    Prober(loop, record, control.address, "pod" if serve else "host").start()
    loop.run()
    record.end()
    if server is not None:
        server.drain()
        loop.run(until=time.monotonic() + LAMEDUCK)


if __name__ == "__main__":
    main("serve" in sys.argv[1:])
