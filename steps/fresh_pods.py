"""Whether a new Pod starts on each node: those that run already say nothing of a plugin that admits none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.names import MEASUREMENT, PART_OF, PROBE
from steps.running import StepError

_NAME = "fresh"
_PATIENCE = 90


def await_fresh_pods(kubectl: Kubectl, nodes: Sequence[str]) -> list[str]:
    """A sentence for each node on which a new Pod does not come up. Owns the DaemonSet `fresh`, for as long as this
    takes: what was left of an earlier one goes first."""
    _remove(kubectl)
    kubectl.create(_daemon_set(_image(kubectl)))
    try:
        wait = (f"--namespace={MEASUREMENT}", f"--timeout={_PATIENCE}s")
        kubectl.run("rollout", "status", f"daemonset/{_NAME}", *wait, timeout=_PATIENCE + 30)
        slow = ""
    except ToolError as error:
        slow = str(error)
    ready = _ready(kubectl)
    _remove(kubectl)
    return [f"{node}: no new Pod comes up there ({slow or 'none was made'})" for node in nodes if node not in ready]


def _ready(kubectl: Kubectl) -> set[str]:
    """The nodes with a new Pod that runs and has an address."""
    items = kubectl.objects("pods", namespace=MEASUREMENT, selector=f"app={_NAME}")
    return {
        item["spec"].get("nodeName", "")
        for item in items
        if item["status"].get("podIP") and item["status"].get("phase") == "Running"
    }


def _remove(kubectl: Kubectl) -> None:
    kubectl.delete("daemonset", _NAME, f"--namespace={MEASUREMENT}")
    kubectl.wait("pods", f"--namespace={MEASUREMENT}", f"--selector=app={_NAME}", until="delete", seconds=60)


def _image(kubectl: Kubectl) -> str:
    """The probes' own: it is on every node."""
    probe = kubectl.object("daemonset", PROBE, namespace=MEASUREMENT)
    if probe is None:
        raise StepError(f"there is no DaemonSet {MEASUREMENT}/{PROBE} to take an image from")
    return str(probe["spec"]["template"]["spec"]["containers"][0]["image"])


def _daemon_set(image: str) -> dict[str, Any]:
    labels = {"app": _NAME}
    container = {
        "name": _NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        # The label by which a take-over removes it, where this step was killed.
        "metadata": {"name": _NAME, "namespace": MEASUREMENT, "labels": PART_OF},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "tolerations": [{"operator": "Exists"}],
                    "containers": [container],
                },
            },
        },
    }
