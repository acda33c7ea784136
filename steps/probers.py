"""The probers inside the cluster: whether they run, and who they are."""

from __future__ import annotations

from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.names import MEASUREMENT, TRAFFIC, TRAFFIC_HOST
from steps.recordings import UnmeasuredError

# What kubectl says of a workload that does not come up, as opposed to a question that has no answer.
_NOT_UP = ("timed out waiting for the condition", "exceeded its progress deadline")


def await_rollout(kubectl: Kubectl, workload: str, patience: int) -> None:
    """All Pods of a workload of theirs run. Raises UnmeasuredError where they do not within `patience` s."""
    args = ("rollout", "status", workload, f"--namespace={MEASUREMENT}", f"--timeout={patience}s")
    try:
        kubectl.act(*args, timeout=patience + 30)
    except ToolError as error:
        if not error.says(*_NOT_UP):
            raise
        raise UnmeasuredError(
            f"the probers ({workload}) do not all run within {patience} s: kubectl --namespace {MEASUREMENT} get pods"
        ) from error


def probers_of(kubectl: Kubectl) -> set[str]:
    """The names of those that run: one that is being deleted has nothing more to write, nor one that has ended."""
    items = kubectl.objects(
        "pods",
        namespace=MEASUREMENT,
        selector=f"app in ({TRAFFIC},{TRAFFIC_HOST})",
        fields="status.phase!=Succeeded,status.phase!=Failed",
    )
    return {item["metadata"]["name"] for item in items if not item["metadata"].get("deletionTimestamp")}
