"""One cluster while it is measured: its Pods, its nodes' accounting, and one measurement."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bench.accounting import Accounting
from bench.answers import NoSampleError, positive
from bench.clusters import WORKERS, Cluster
from bench.manifest import NAMESPACE, manifest
from bench.results import Measure
from bench.workloads import GRACE, Workload
from settings.kind import worker_names
from steps.doors import docker
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError, run
from steps.running import StepError, say

PODS = Path(__file__).parent / "pods"
RANK_PORT = 29500
# Seconds that two processes with PyTorch take on two cores until they have found each other.
RANKS_START = 20


class Subject:
    """Owns the namespace cni-bench of its cluster. `kubectl` is the door to it; `ranks` train, each on a worker."""

    def __init__(self, cluster: Cluster, kubectl: Kubectl, ranks: int = WORKERS) -> None:
        self.cluster = cluster
        self.kubectl = kubectl
        self.ranks = ranks
        self.workers = worker_names(cluster.name, ranks)
        self._addresses: Mapping[str, str] = {}
        self._accounting = Accounting({})

    def prepare(self, image: str, training_image: str) -> None:
        """The images are on the workers, and every Pod has an address and listens."""
        for name in filter(None, (image, training_image)):
            command = ["kind", "load", "docker-image", name, "--name", self.cluster.name, "--nodes"]
            say(f"{name} to {self.cluster.name}")
            run([*command, ",".join(self.workers)], timeout=600)
        pods = manifest(self.workers, image, training_image, (PODS / "nginx.conf").read_text())
        # A Pod is refused until its new namespace has a ServiceAccount.
        self.kubectl.act("apply", "--filename=-", stdin=json.dumps(pods["items"][0]))
        self.kubectl.wait("serviceaccount/default", f"--namespace={NAMESPACE}", until="create", seconds=120)
        self.kubectl.act("apply", "--filename=-", stdin=json.dumps(pods))
        self.kubectl.wait("pods", "--all", f"--namespace={NAMESPACE}", until="condition=Ready", seconds=180)
        found = self.kubectl.objects("pods", namespace=NAMESPACE)
        self._addresses = {pod["metadata"]["name"]: str(pod["status"]["podIP"]) for pod in found}
        names = [container.name for container in docker.containers(self.cluster.name)]
        self._accounting = Accounting(docker.first_processes(names))

    def measure(self, test: Workload) -> Measure:
        """One measurement. Raises NoSampleError where the tool or the accounting gave none."""
        began = datetime.now(UTC).isoformat(timespec="seconds")
        before = self._accounting.read()
        try:
            said = (
                self._ranks(test, test.ranks)
                if test.ranks
                else self.ask(test.client, self._command(test), test.seconds)
            )
        except StepError as error:
            raise NoSampleError(str(error)) from error
        used = self._accounting.read().since(before)
        answer = test.read(said)
        values = dict(answer.values)
        for unit, work in answer.work.items():
            carried = positive(f"what {test.name} carried", work)
            values[f"cpu-per-{unit}"] = positive("the nodes' CPU time", used.nodes / carried)
            values[f"machine-cpu-per-{unit}"] = positive("the machine's CPU time", used.machine / carried)
        return Measure(
            side=self.cluster.side, began=began, seconds=round(used.at, 3), steal=round(used.steal, 5), values=values
        )

    def ask(self, pod: str, command: Sequence[str], seconds: int = 0, *, stdin: str = "") -> str:
        """stdout of a command in a Pod; it is ended there when its time is up, not only here: what hung would be
        measured along with everything after it."""
        limit = seconds + GRACE
        ended = ["timeout", "--kill-after=2", str(limit), *command]
        return self.kubectl.execute(NAMESPACE, pod, ended, stdin=stdin, timeout=limit + 15)

    def _command(self, test: Workload) -> Sequence[str]:
        stands_for = {"ADDRESS": self._addresses[test.server], "SECONDS": str(test.seconds)}
        return [re.sub("ADDRESS|SECONDS", lambda found: stands_for[found[0]], word) for word in test.command]

    def _ranks(self, test: Workload, device: str) -> str:
        """Rank 0's word; every rank has to come to its end."""
        script = (PODS / "ranks.py").read_text()
        address = self._addresses[test.client] if device != "lo" else "127.0.0.1"
        began = time.monotonic()

        def rank(number: int) -> str:
            where = [str(number), str(self.ranks), address, str(RANK_PORT), str(test.seconds)]
            command = ["env", f"GLOO_SOCKET_IFNAME={device}", "python3", "-", *where]
            pod = test.client if device == "lo" else f"rank-{number}"
            return self.ask(pod, command, test.seconds + RANKS_START, stdin=script)

        with ThreadPoolExecutor(self.ranks) as threads:
            said = list(threads.map(rank, range(self.ranks)))
        if not said[0].strip():
            raise ToolError(f"rank 0 ended after {time.monotonic() - began:.0f} s and said nothing")
        return said[0]
