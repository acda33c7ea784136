"""The Pods that test_live.py moves: of every kind, some of which hold flows to others, with the Services for them."""

from __future__ import annotations

from typing import Any

from e2e.real import NAME, ROOT

WORKER, WORKER2 = f"{NAME}-worker", f"{NAME}-worker2"
IN_PODS = ROOT / "tests" / "e2e" / "in_pods"
SERVER, COUNTS = (IN_PODS / "echo.py").read_text(), (IN_PODS / "counts.py").read_text()
# Each holds flows to another: by its address, and by its ClusterIP, on its own node and across.
STREAMS, DATAGRAMS = (IN_PODS / "streams.py").read_text(), (IN_PODS / "datagrams.py").read_text()
WALL = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: wall, namespace: default}
spec: {podSelector: {matchLabels: {app: goes}}, policyTypes: [Ingress]}
"""


def pod(name: str, node: str, image: str, code: str, *args: str) -> dict[str, Any]:
    command = ["python3", "-c", code, *args]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {
            "nodeName": node,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "command": command}],
        },
    }


def service(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "selector": {"app": name},
            "ports": [{"name": "streams", "port": 9000}, {"name": "datagrams", "port": 9001, "protocol": "UDP"}],
        },
    }


def template(name: str, image: str, code: str) -> dict[str, Any]:
    """A Pod that a controller makes, on the worker whose move is killed."""
    made = pod(name, WORKER2, image, code)
    # Its controller says when it is started again.
    made["spec"].pop("restartPolicy")
    return {"metadata": made["metadata"] | {"namespace": None}, "spec": made["spec"]}


def workloads(image: str) -> list[dict[str, Any]]:
    """A StatefulSet, a Deployment of one, and a Job in the middle of its work, which would lose its count."""
    job = template("counts", image, COUNTS)
    job["spec"]["restartPolicy"] = "Never"
    meta = {"namespace": "default"}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": name, **meta},
            "spec": {
                **({"serviceName": name} if kind == "StatefulSet" else {}),
                "selector": {"matchLabels": {"app": name}},
                "template": template(name, image, SERVER),
            },
        }
        for kind, name in (("StatefulSet", "stateful"), ("Deployment", "single"))
    ] + [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "counts", **meta},
            "spec": {"template": job},
        }
    ]
