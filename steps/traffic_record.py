"""Starts to record what a migration interrupts: on each node the probers find the epoch in the recording's `run`.

Where the network is not up there is nothing to measure, and nothing is started. Where a prober has no answer, that is a
failure of a strategy that has to be measured; another goes on unmeasured, since it may be what mends the network.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from steps.doors.kubectl import Kubectl, cluster
from steps.doors.node import on_node
from steps.doors.process import ToolError
from steps.names import MEASUREMENT, TRAFFIC, TRAFFIC_FOLDER, TRAFFIC_HOST
from steps.nodes import nodes
from steps.running import StepError, main, say
from steps.side_by_side import each

# Seconds within which each prober has to have an answer from the network.
_ANSWER = 15
# What kubectl says of a workload that does not come up, as opposed to a question that has no answer.
_NOT_UP = ("timed out waiting for the condition", "exceeded its progress deadline")


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`must_be_measured` is a fact of the strategy; `nodes` are all, `control_plane` the one that keeps the steps."""

    cluster: str
    epoch: str
    must_be_measured: bool
    nodes: tuple[str, ...]
    control_plane: str


class _Unmeasured(StepError):
    """Why there is nothing to go by."""


def verb(needs: Needs) -> str:
    """Returns once every prober has an answer in its log, or there is nothing to measure."""
    state = _inside(needs, needs.control_plane, "state").strip()
    if state == "reported":
        say(f"the interruption of this migration (epoch {needs.epoch}) is reported already; nothing is recorded")
        return ""
    if state == "recording":
        say(f"the recording of this migration's interruption (epoch {needs.epoch}) goes on")
        _on_all(needs, "touch", needs.nodes)
        return ""
    with cluster(needs.cluster) as kubectl:
        if not all(node.ready for node in nodes(kubectl)):
            say("the network is not up, so its interruption is not measured")
            return ""
        try:
            _begin(kubectl, needs)
        except _Unmeasured as error:
            if needs.must_be_measured:
                raise StepError(
                    f"{error}\nthis strategy goes by what is measured; mend that, or set traffic.enabled to false"
                ) from error
            say(f"{error}\nso the interruption is not measured")
    return ""


def _begin(kubectl: Kubectl, needs: Needs) -> None:
    patience = 120 if needs.must_be_measured else 30
    for workload in (f"daemonset/{TRAFFIC_HOST}", f"deployment/{TRAFFIC}"):
        _await_rollout(kubectl, workload, patience)
    probers = _probers(kubectl)
    others = tuple(name for name in needs.nodes if name != needs.control_plane)
    _on_all(needs, "start", others)
    # The control plane's comes last: where it is, every node has one.
    _inside(needs, needs.control_plane, "start")
    say("recording what the migration interrupts")
    deadline = time.monotonic() + _ANSWER
    while silent := sorted(probers - _answered(needs)):
        if time.monotonic() >= deadline:
            # In the other order, so that one that was cut off begins anew.
            _inside(needs, needs.control_plane, "forget")
            _on_all(needs, "forget", others)
            raise _Unmeasured(
                f"these probers have no answer from the network within {_ANSWER} s: {' '.join(silent)}. "
                f"See kubectl --namespace {MEASUREMENT} logs"
            )
        time.sleep(0.3)  # between two looks, not in place of a condition


def _await_rollout(kubectl: Kubectl, workload: str, patience: int) -> None:
    args = ("rollout", "status", workload, f"--namespace={MEASUREMENT}", f"--timeout={patience}s")
    try:
        kubectl.act(*args, timeout=patience + 30)
    except ToolError as error:
        if not error.says(*_NOT_UP):
            raise
        raise _Unmeasured(
            f"the probers ({workload}) do not all run within {patience} s: kubectl --namespace {MEASUREMENT} get pods"
        ) from error


def _probers(kubectl: Kubectl) -> set[str]:
    """The names of those that run: one that is being deleted has nothing more to write, nor one that has ended."""
    items = kubectl.objects(
        "pods",
        namespace=MEASUREMENT,
        selector=f"app in ({TRAFFIC},{TRAFFIC_HOST})",
        fields="status.phase!=Succeeded,status.phase!=Failed",
    )
    return {item["metadata"]["name"] for item in items if not item["metadata"].get("deletionTimestamp")}


def _answered(needs: Needs) -> set[str]:
    return {name for text in _on_all(needs, "answered", needs.nodes).values() for name in text.split()}


def _on_all(needs: Needs, step: str, names: tuple[str, ...]) -> dict[str, str]:
    return each({name: (lambda name=name: _inside(needs, name, step)) for name in names}, f"recording {step}")


def _inside(needs: Needs, name: str, step: str) -> str:
    env = {"STEP": step, "FOLDER": TRAFFIC_FOLDER, "EPOCH": needs.epoch, "CONTROL_PLANE": needs.control_plane}
    return on_node(name, "recording", env=env)


if __name__ == "__main__":
    main(Needs, verb)
