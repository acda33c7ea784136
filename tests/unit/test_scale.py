"""What a cluster of 3, 10 and 50 nodes costs the machine that asks: processes at once, and all of them together.

The tools are stand-ins; the steps are the real ones.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pytest

from steps import pods_evict, traffic_report
from steps.nodes import Node
from steps.preflight_nodes import Look, on_nodes
from steps.side_by_side import MOST
from steps.verify import Needs, verify

TOOLS = Path(__file__).parent / "scale_tools.sh"
SIZES = (3, 10, 50)
PODS_A_NODE = 10
STATUS = {
    "kube-proxy-replacement": {"mode": "True"},
    "routing": {"inter-host-routing-mode": "Native"},
    "masquerading": {"enabledProtocols": {"ipv4": True}, "mode": "BPF"},
}


class Scale:
    """A cluster of `size` nodes behind the stand-ins."""

    def __init__(self, folder: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names = tuple(f"n{number}" for number in range(size))
        self._log, objects, tools = folder / "log", folder / "objects", folder / "bin"
        objects.mkdir(parents=True)
        tools.mkdir()
        self._log.touch()
        for tool in ("kubectl", "docker", "kind"):
            path = tools / tool
            path.write_text(f'#!/bin/sh\nexec bash {shlex.quote(str(TOOLS))} {tool} "$@"\n')
            path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
        monkeypatch.setenv("OBJECTS", str(objects))
        monkeypatch.setenv("LOG", str(self._log))
        for name, answer in self._objects().items():
            (objects / name).write_text(answer if isinstance(answer, str) else json.dumps(answer))

    def processes(self, step: Callable[[], object]) -> tuple[int, int]:
        """How many ran at once at most, and how many in all, while `step` did."""
        self._log.write_text("")
        step()
        marks = [1 if mark == "+" else -1 for mark in self._log.read_text().split()]
        return max(accumulate(marks)), marks.count(1)

    def _objects(self) -> dict[str, object]:
        addresses = [f"10.244.{number}.2" for number in range(len(self.names))]

        def pods(app: str) -> dict[str, object]:
            return {"items": [self._pod(app, *at) for at in zip(self.names, addresses, strict=True)]}

        every = [self._pod(f"app{n}", name, "10.0.0.1") for name in self.names for n in range(PODS_A_NODE)]
        marker = {"stack": "s", "cni": "cilium", "epoch": "1", "phase": "migrating", "generation": "g", "holder": ""}
        return {
            "daemonsets,deployments": {"items": [{"kind": "DaemonSet", "metadata": {"name": "cilium"}}]},
            "nodes": {"items": [{"metadata": {"name": name}} for name in self.names]},
            "pods-all": {"items": every},
            "pods-app=probe": pods("probe"),
            "pods-app=probe-host": pods("host"),
            "pods-app=fresh": pods("fresh"),
            "pods-k8s-app=cilium": pods("cilium"),
            "daemonset-probe": {"spec": {"template": {"spec": {"containers": [{"image": "probe:1"}]}}}},
            "service-probe": {"spec": {"clusterIP": "10.96.0.9"}},
            "service-kube-dns": {"spec": {"clusterIP": "10.96.0.10"}},
            "service-kubernetes": {"spec": {"clusterIP": "10.96.0.1"}},
            "configmap-kubeadm-config": {"data": {"ClusterConfiguration": "networking: {dnsDomain: cluster.local}"}},
            "configmap-cni-migration": {"metadata": {"resourceVersion": "1"}, "data": marker},
            "status": STATUS,
            "addresses": "".join(f"{address}\n" for address in addresses),
            "steps": "1000 step begin\n9000 step end\n",
            "lines": "",
        }

    @staticmethod
    def _pod(app: str, node: str, address: str) -> dict[str, object]:
        owner = {"kind": "ReplicaSet", "uid": app, "controller": True}
        metadata = {"namespace": "default", "name": f"{app}-{node}", "uid": f"{app}-{node}", "ownerReferences": [owner]}
        return {
            "metadata": {**metadata, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"nodeName": node},
            "status": {"phase": "Running", "podIP": address},
        }


def verification(scale: Scale) -> None:
    verdict = json.loads(verify(Needs(cluster="c", cni="cilium", service_port=80, pending=())))
    size = len(scale.names)
    assert verdict["basis"]["pairs"]["answered"] == size * (size - 1), "fewer pairs than there are would be measured"


def preflight(scale: Scale) -> None:
    look = Look(cni="cilium", images=["probe:1"], one_l2=True, api="", moves=True)
    peers = [
        Node(
            name=name,
            pod_cidr="",
            address="172.18.0.2",
            owner="flannel",
            ready=True,
            cordoned="no",
            taints=(),
            annotations={},
            allocatable={},
        )
        for name in scale.names
    ]
    on_nodes(scale.names, look, peers)


def eviction(scale: Scale) -> None:
    needs = pods_evict.Needs(
        cluster="c", stack="s", cni="cilium", epoch="1", control_plane="n0", mark="", cutoff="2026-02-01T00:00:00Z"
    )
    pods_evict.pods_evict(needs)


def report(scale: Scale) -> None:
    traffic_report.verb(
        traffic_report.Needs(
            cluster="c",
            generation="g",
            epoch="1",
            leg=0,
            due=True,
            nodes=scale.names,
            control_plane="n0",
            strategy="recreate",
            enforces_budget=False,
            keeps_pods=False,
            max_failures=0,
            max_gap_ms=1000,
            outside=False,
        )
    )


@pytest.mark.parametrize("step", [preflight, verification, eviction, report])
def test_processes_are_bounded_and_grow_with_the_nodes_and_no_faster(
    step: Callable[[Scale], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of_them: list[int] = []
    for size in SIZES:
        scale = Scale(tmp_path / str(size), size, monkeypatch)
        at_once, in_all = scale.processes(lambda scale=scale: step(scale))
        print(f"{step.__name__}: {size} nodes, {in_all} processes, {at_once} at once", file=sys.stderr)
        assert at_once <= MOST, f"{at_once} processes at once starve the machine of a user with {size} nodes"
        all_of_them.append(in_all)
    small, middle, large = all_of_them
    a_node = (middle - small) / (SIZES[1] - SIZES[0])
    assert large <= middle + a_node * (SIZES[2] - SIZES[1]) + 1, "fifty nodes would take longer than five times ten"
