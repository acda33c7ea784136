"""How a node is emptied: every eviction asks the Pods' budgets, again and again, and nothing is deleted."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence

from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.pods import Pod, on_pod_network
from steps.running import StepError, say


def evict(kubectl: Kubectl, pod: Pod, *, now: bool = False) -> str:
    """Asks for an eviction, which asks the Pod's budgets; `now` without the Pod's grace period. Empty where it is
    granted or the Pod is gone already, otherwise what was said instead: whoever asks looks at the Pods again, and it is
    the look that fails where the API does not answer."""
    grace = {"gracePeriodSeconds": 0} if now else {}
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
        "deleteOptions": {**grace, "preconditions": {"uid": pod.uid}},
    }
    address = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/eviction"
    try:
        kubectl.run("create", "--raw", address, "--filename=-", stdin=json.dumps(body))
    except ToolError as error:
        # Gone, or another Pod of the same name by now.
        if error.says("NotFound", "Conflict"):
            return ""
        return error.said or str(error)
    return ""


def evict_pods_of_node(kubectl: Kubectl, node: str, seconds: int, *, but: Sequence[str] = ()) -> None:
    """Evicts the Pods that are on the node now, but those whose controller is one of the kinds `but`, and waits until
    they are gone. Never those that nobody makes anew, nor static ones, which do not leave. A budget that refuses is
    asked again every second: kubectl drain asks every five, which made a node's move longer by three. Raises StepError
    naming what is left after `seconds`."""
    deadline = time.monotonic() + seconds
    here = on_pod_network(kubectl, node=node)
    # A bare one that is being deleted is its user's, and only waited for.
    leaves = [pod for pod in here if not pod.static and (not pod.bare or pod.state == "leaving")]
    left = [pod for pod in leaves if pod.controller not in but]
    ours = {pod.uid for pod in left}
    while left:
        answers = {pod.full_name: evict(kubectl, pod) for pod in left if pod.state != "leaving"}
        if time.monotonic() >= deadline:
            refused = [f"{name}: {answer}" for name, answer in answers.items() if answer]
            names = " ".join(pod.full_name for pod in left)
            raise StepError(" ".join([f"these Pods do not leave {node} within {seconds} s: {names}.", *refused]))
        time.sleep(1)  # between two questions, not in place of a condition
        left = [pod for pod in on_pod_network(kubectl, node=node) if pod.uid in ours]


def renew_pending_pods(kubectl: Kubectl, node: str) -> None:
    """Has the Pods made anew that this node has refused so far: the kubelet would try them again only after 10 to 15 s.
    They run nowhere yet, so no budget minds. One that nobody makes anew is left to the kubelet, and one that has its
    network runs already: its init containers, or some of several."""
    for pod in on_pod_network(kubectl, node=node, phase="Pending"):
        refused = not pod.address
        if refused and not pod.bare and not pod.static and (answer := evict(kubectl, pod, now=True)):
            say(f"{node}: {pod.full_name} is left to the kubelet: {answer}")


def await_pods_of_node(kubectl: Kubectl, node: str, seconds: int, keepers: Collection[str]) -> None:
    """Waits until every Pod on the node is ready whose keeper is one of `keepers`: one that was not ready before never
    may be. Raises StepError naming those that are not within `seconds`."""
    deadline = time.monotonic() + seconds
    while waiting := [
        pod for pod in on_pod_network(kubectl, node=node) if pod.state == "waiting" and pod.keeper in keepers
    ]:
        if time.monotonic() >= deadline:
            names = " ".join(pod.full_name for pod in waiting)
            raise StepError(f"these Pods on {node} are not ready within {seconds} s: {names}")
        first = waiting[0]
        try:
            kubectl.wait("pod", first.name, f"--namespace={first.namespace}", until="condition=Ready", seconds=10)
        except ToolError:
            # It may be replaced meanwhile, which ends the wait and is no failure: all are looked at again, and it is
            # the look that fails where the API does not answer.
            say(f"{node}: waiting for {first.full_name}")


def blocking_budgets(kubectl: Kubectl) -> list[str]:
    """NAMESPACE/NAME of the budgets that permit no eviction now, though there are Pods that they protect."""
    found: list[str] = []
    for item in kubectl.objects("poddisruptionbudgets"):
        status: dict[str, int] = item.get("status") or {}
        if status.get("disruptionsAllowed", 0) == 0 and status.get("expectedPods", 0) > 0:
            found.append(f"{item['metadata']['namespace']}/{item['metadata']['name']}")
    return found
