"""What somebody outside notices of a migration: a new connection every 50 ms to a Service's node port, and what came of
it. By the benchmark's own hand, so that what is done without this project's probers is measured with the same ruler.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from itertools import pairwise
from threading import Event, Thread
from typing import Any

from bench.shapes import Seen
from bench.subject import PODS
from steps.doors.kubectl import Kubectl
from steps.running import StepError

NAMESPACE, PORT, NODE_PORT = "cni-compare", 8080, 30999
# Seconds: between two connections, and until one that has no answer counts as failed, as the probers have it.
PERIOD, PATIENCE = 0.05, 3.0
# As many as can be without an answer at once, and some more.
_THREADS = 80
# Without the machine's proxy, which would be asked for the node's address.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One connection: when it began and ended by the monotonic clock, in s, and whether it had a good answer."""

    began: float
    ended: float
    good: bool


def seen(answers: Sequence[Answer]) -> Seen:
    """The answers summed up; the gap is the longest time between two good ones. Raises ValueError where there are not
    two good ones: nobody can say then how long anything was interrupted."""
    good = sorted(answer.ended for answer in answers if answer.good)
    if len(good) < 2:
        raise ValueError(f"of {len(answers)} connections from outside {len(good)} had an answer")
    gap = max(after - before for before, after in pairwise(good))
    failures = len(answers) - len(good)
    return Seen(requests=len(answers), failures=failures, longest_gap_seconds=round(gap, 3))


@contextmanager
def watched(url: str) -> Generator[list[Answer]]:
    """Asks `url` for as long as the context is open; every answer is in the list once it is closed."""
    answers: list[Answer] = []
    asked: list[Future[Answer]] = []
    ended = Event()

    def ask() -> Answer:
        began = time.monotonic()
        good = _answers(url)
        return Answer(began=began, ended=time.monotonic(), good=good)

    def pace(threads: ThreadPoolExecutor) -> None:
        due = time.monotonic()
        while not ended.wait(max(0.0, due - time.monotonic())):
            asked.append(threads.submit(ask))
            due += PERIOD

    with ThreadPoolExecutor(_THREADS) as threads:
        pacing = Thread(target=pace, args=(threads,))
        pacing.start()
        try:
            yield answers
        finally:
            ended.set()
            pacing.join()
    answers += [one.result() for one in asked]


def serve(kubectl: Kubectl, image: str, node: str) -> str:
    """The URL at which two Pods of `image` answer by way of `node`'s port, once they do. `image` has python3."""
    kubectl.act("apply", "--filename=-", stdin=json.dumps(manifest(image)))
    address = kubectl.object("node", node)
    found = [at["address"] for at in (address or {})["status"]["addresses"] if at["type"] == "InternalIP"]
    url = f"http://{found[0]}:{NODE_PORT}/"
    wait(kubectl, url)
    return url


def wait(kubectl: Kubectl, url: str) -> None:
    """Both Pods are ready and `url` answers. Raises StepError where it does not within a minute."""
    kubectl.wait("deployment/web", f"--namespace={NAMESPACE}", until="condition=Available", seconds=120)
    deadline = time.monotonic() + 60
    while not _answers(url):
        if time.monotonic() > deadline:
            raise StepError(f"{url} has no answer; the benchmark has to run on the machine of the container engine")
        time.sleep(0.2)  # between two questions


def manifest(image: str) -> Mapping[str, Any]:
    """The namespace, two Pods on two nodes, their budget and their Service."""
    labels, meta = {"app": "web"}, {"name": "web", "namespace": NAMESPACE}
    container = {
        "name": "web",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", (PODS / "web.py").read_text(), str(PORT)],
        # Without a share of the CPU it starves while agents start, which would be taken for the network.
        "resources": {"requests": {"cpu": "100m"}},
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    pod = {
        "terminationGracePeriodSeconds": 1,
        "topologySpreadConstraints": [{**spread, "labelSelector": {"matchLabels": labels}}],
        "containers": [container],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    service = {"type": "NodePort", "selector": labels, "ports": [{"port": PORT, "nodePort": NODE_PORT}]}
    deployment = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    # Both may be on one node behind a drain: the next would take both at once, which is no matter of the network.
    budget = {"minAvailable": 1, "selector": {"matchLabels": labels}}
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service},
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": budget},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": deployment},
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _answers(url: str) -> bool:
    # A failure of any kind is what is counted: refused, reset, no route, no answer in time.
    try:
        with _OPENER.open(url, timeout=PATIENCE) as response:
            return response.status == 200 and len(response.read()) > 0
    except (OSError, HTTPException):
        return False
