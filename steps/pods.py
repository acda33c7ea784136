"""The Pods on the Pod network, as the API has them, and how one of them is deleted: this one, and none that has its
name by now."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.findings.lives import Life, life_of
from steps.names import RELEASE
from steps.running import StepError

_NOT_ENDED = "status.phase!=Succeeded,status.phase!=Failed"
# The kubelet puts it on the object by which the API shows a Pod out of a file on the node.
_MIRROR = "kubernetes.io/config.mirror"
# Why the taint manager says that it deletes the Pods of a node which was not Ready for five minutes, as one without a
# CNI is (kubernetes, pkg/controller/tainteviction).
_TAINTED = "DeletionByTaintManager"
# What a Pod may take to go beyond its own grace period.
_SLACK = 30


@dataclass(frozen=True, kw_only=True)
class Pod:
    """`created` is RFC 3339 in UTC. `controller` is the kind of the owner that makes it anew, `owner` its uid, both
    empty without one: an owner that is no controller only collects it. `static`: it is out of a file on its node, and
    goes with that file only. `address` is empty while it has no network. `grace` is its grace period, seconds. `state`
    is `ready`, `leaving` (it is being deleted) or `waiting`. `tainted`: the cluster deletes it, for the sake of its
    node."""

    namespace: str
    name: str
    uid: str
    node: str
    created: str
    controller: str
    owner: str
    static: bool
    address: str
    grace: int
    phase: str
    state: Literal["ready", "leaving", "waiting"]
    tainted: bool = False

    @property
    def full_name(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.namespace}/{self.name}"

    @property
    def bare(self) -> bool:
        """Nobody makes it anew."""
        return not self.controller and not self.static

    @property
    def keeper(self) -> str:
        """Who stands for it, whichever its uid: its controller, or it is its own."""
        return self.full_name if self.static or not self.owner else self.owner


def pod_from(item: Object) -> Pod:
    """A Pod in the API's JSON."""
    metadata, status = item["metadata"], item.get("status", {})
    owners = [owner for owner in metadata.get("ownerReferences", []) if owner.get("controller")]
    spec = item["spec"]
    conditions: list[Object] = status.get("conditions", [])
    ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        node=spec.get("nodeName", ""),
        created=metadata["creationTimestamp"],
        controller=owners[0]["kind"] if owners else "",
        owner=owners[0].get("uid", "") if owners else "",
        static=_MIRROR in (metadata.get("annotations") or {}),
        address=status.get("podIP", ""),
        grace=spec.get("terminationGracePeriodSeconds", _SLACK),
        phase=status.get("phase", ""),
        state="leaving" if metadata.get("deletionTimestamp") else "ready" if ready else "waiting",
        tainted=any(_is_taint(entry) for entry in conditions),
    )


def _is_taint(condition: Object) -> bool:
    met = (condition["type"], condition["status"], condition.get("reason"))
    return met == ("DisruptionTarget", "True", _TAINTED)


def on_pod_network(kubectl: Kubectl, *, node: str = "", phase: str = "") -> list[Pod]:
    """Those that have not ended: in the whole cluster or on one node, of any phase or of one."""
    return [pod_from(item) for item in items_on_pod_network(kubectl, node=node, phase=phase)]


def items_on_pod_network(kubectl: Kubectl, *, node: str = "", phase: str = "") -> list[Object]:
    """The same in the API's JSON."""
    fields = ",".join(
        [_NOT_ENDED, *([f"spec.nodeName={node}"] if node else []), *([f"status.phase={phase}"] if phase else [])]
    )
    items = kubectl.objects("pods", fields=fields)
    return [item for item in items if not item["spec"].get("hostNetwork")]


def lives(kubectl: Kubectl) -> dict[str, Life]:
    """All on the Pod network that are not on their way out, those that have ended among them, by NAMESPACE/NAME.
    Without Cilium's own (Hubble's), which go and come with it."""
    return {
        f"{item['metadata']['namespace']}/{item['metadata']['name']}": life_of(item)
        for item in kubectl.objects("pods")
        if not item["spec"].get("hostNetwork") and "deletionTimestamp" not in item["metadata"]
        if ("app.kubernetes.io/part-of", RELEASE) not in item["metadata"].get("labels", {}).items()
    }


def patience(pods: Collection[Pod], least: int) -> int:
    """Seconds within which they can be expected to be gone: a fixed time fails a Pod that drains for longer."""
    return max([least, *(pod.grace + _SLACK for pod in pods)])


def delete_pod(kubectl: Kubectl, pod: Pod, *, grace: int | None = None) -> bool:
    """Deletes this very Pod, without a wait; False where it is gone, or another has its name by now."""
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": pod.uid}}
    body = options if grace is None else {**options, "gracePeriodSeconds": grace}
    address = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
    try:
        kubectl.run("delete", "--raw", address, "--filename=-", stdin=json.dumps(body))
    except ToolError as error:
        if error.says("NotFound", "Conflict"):
            return False
        raise
    return True


def await_gone(kubectl: Kubectl, pods: Collection[Pod], seconds: int) -> None:
    """Waits until none of them is there. By uid, which `kubectl wait` does not look at: a StatefulSet's new Pod has the
    old one's name. Raises StepError naming those that are left after `seconds`."""
    deadline = time.monotonic() + seconds
    left: list[Pod] = list(pods)
    while left:
        # Their namespaces alone: every Pod of a large cluster is tens of megabytes a question.
        spaces = sorted({pod.namespace for pod in left})
        there = {item["metadata"]["uid"] for space in spaces for item in kubectl.objects("pods", namespace=space)}
        left = [pod for pod in left if pod.uid in there]
        if left and time.monotonic() >= deadline:
            names = " ".join(pod.full_name for pod in left)
            raise StepError(f"these Pods are not gone within {seconds} s: {names}")
        if left:
            time.sleep(2)  # between two questions, not in place of a condition
