"""The Pods of the benchmark, as the API takes them. Pure.

Two workers: `client` and `near` on the one, `far` on the other, and a pair of both on the hosts' network. Servers that
nobody asks use no CPU, so all of them stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.workloads import CLIENT, FAR, HOST_CLIENT, HOST_FAR, HTTP, IPERF3, NEAR, SOCKPERF

NAMESPACE = "cni-bench"
_IDLE = ["sleep", "infinity"]
_SERVERS = {
    "iperf3": (["iperf3", "--server", "--port", str(IPERF3)], IPERF3),
    "sockperf": (["sockperf", "server", "--tcp", "-p", str(SOCKPERF)], SOCKPERF),
    "nginx": (["nginx", "-c", "/etc/bench/nginx.conf"], HTTP),
}


def manifest(workers: Sequence[str], image: str, training_image: str, nginx: str) -> Mapping[str, Any]:
    """Everything that is applied to one cluster; `workers` are two nodes or more, with a rank each. `training_image` is
    empty where no training is measured."""
    one, other = workers[:2]
    pods = [
        _pod(CLIENT, one, image, {}),
        _pod(NEAR, one, image, _SERVERS),
        _pod(FAR, other, image, _SERVERS),
        _pod(HOST_CLIENT, one, image, {}, host=True),
        _pod(HOST_FAR, other, image, _SERVERS, host=True),
    ]
    if training_image:
        pods += [_pod(f"rank-{number}", node, training_image, {}) for number, node in enumerate(workers)]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "bench", "namespace": NAMESPACE},
        "data": {"nginx.conf": nginx},
    }
    return {"apiVersion": "v1", "kind": "List", "items": [namespace, config, *pods]}


def _pod(
    name: str, node: str, image: str, servers: Mapping[str, tuple[Sequence[str], int]], *, host: bool = False
) -> Mapping[str, Any]:
    containers = [_container(tool, image, command, port) for tool, (command, port) in servers.items()]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": "cni-bench"}},
        "spec": {
            "nodeName": node,
            "hostNetwork": host,
            "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": "config", "configMap": {"name": "bench"}}],
            "containers": containers or [_container("idle", image, _IDLE, 0)],
        },
    }


def _container(name: str, image: str, command: Sequence[str], port: int) -> Mapping[str, Any]:
    container: dict[str, Any] = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": [*command],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/bench"}],
    }
    if port:
        # Not a connection: iperf3 would take it for a client. And only until it listens: a probe that went on would be
        # part of what is measured.
        listens = f"grep -q ':{port:04X} 0*:0000 0A ' /proc/net/tcp /proc/net/tcp6"
        container["startupProbe"] = {
            "exec": {"command": ["sh", "-c", listens]},
            "periodSeconds": 1,
            "failureThreshold": 60,
        }
    return container
