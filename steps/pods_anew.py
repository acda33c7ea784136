"""Makes Pods anew that nobody else would: their manifest is safe in the cluster before one is deleted, and goes only
when the new Pod stands."""

from __future__ import annotations

import time

from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.names import SYSTEM
from steps.pods import Pod, await_gone, delete_pod, items_on_pod_network, patience, pod_from
from steps.pods_kept import Copy, copies, forget, keep
from steps.running import StepError, say
from steps.side_by_side import each

# Seconds for a creation to be granted: the quota forgets the old Pod a moment after it has gone, and a webhook that is
# a Pod itself starts only now.
_TO_STAND = 60


def replace_bare_pods(kubectl: Kubectl, cutoff: str) -> None:
    """No bare Pod older than the cutoff is left, and each that this project has deleted stands again, those of an
    earlier `up` too. Raises StepError naming each that does not, with the API's answer; its copy stays."""
    old = {
        pod.full_name: (pod, item)
        for item in items_on_pod_network(kubectl)
        for pod in [pod_from(item)]
        # One that no node has yet gets its network from the new CNI.
        if pod.bare and pod.node and pod.created < cutoff
    }
    failed: list[str] = []
    try:
        # Not those that are being deleted already: by their user, who does not want them back, or by us. One that goes
        # with its node's taint goes for the sake of the network as well.
        for pod, item in old.values():
            if pod.state == "leaving" and pod.tainted:
                keep(kubectl, item, deleted=True)
        ours = {name: both for name, both in old.items() if both[0].state != "leaving"}
        each({name: (lambda both=both: _take_away(kubectl, *both)) for name, both in ours.items()}, "the deletion")
        going = [pod for pod, _ in old.values()]
        await_gone(kubectl, going, patience(going, 120))
    except StepError as error:
        # One that does not go keeps no other from coming back.
        failed.append(str(error))
    failed += _make(kubectl)
    if failed:
        raise StepError("\n".join(failed))
    pods = [item["metadata"] for item in kubectl.objects("pods")]
    there = {pod["uid"] for pod in pods} | {f"{pod['namespace']}/{pod['name']}" for pod in pods}
    for copy in copies(kubectl):
        # It stands, or its user has made it again.
        if there & {copy.uid, copy.full_name}:
            forget(kubectl, copy.uid)
        else:
            say(_gone(copy))


def _take_away(kubectl: Kubectl, pod: Pod, item: Object) -> None:
    say(f"making {pod.full_name} anew")
    # Noted before the deletion: an `up` that is killed between the two would lose the Pod.
    keep(kubectl, item, deleted=True)
    # With its own grace period: what it has not written yet is lost with it.
    if not delete_pod(kubectl, pod):
        # Somebody was faster, and has deleted it since the look.
        keep(kubectl, item, deleted=False)


def _make(kubectl: Kubectl) -> list[str]:
    """A sentence for each Pod that does not stand in the end."""
    deadline = time.monotonic() + _TO_STAND
    left = {copy.full_name: copy for copy in copies(kubectl) if copy.deleted}
    while left:
        answers = {name: answer for name, copy in left.items() if (answer := _stand(kubectl, copy))}
        left = {name: left[name] for name in answers}
        if left and time.monotonic() >= deadline:
            return [_sentence(left[name], answer) for name, answer in answers.items()]
        if left:
            time.sleep(2)  # between two attempts, not in place of a condition
    return []


def _stand(kubectl: Kubectl, copy: Copy) -> str:
    """Empty where the Pod stands and its copy is gone, otherwise why not."""
    found = kubectl.object("pod", copy.name, namespace=copy.namespace)
    if found is not None and found["metadata"]["uid"] == copy.uid:
        return "the old one is still there"
    if found is None:
        try:
            kubectl.create(copy.manifest)
        except ToolError as error:
            if not error.says("NotFound") or kubectl.object("namespace", copy.namespace) is not None:
                return error.said or str(error)
            say(f"{copy.full_name} is not made anew: its namespace is gone, and all that was in it")
    forget(kubectl, copy.uid)
    return ""


def _gone(copy: Copy) -> str:
    """Its user has deleted it, or the cluster has while nobody looked: nobody here knows, so nothing is made or lost.
    The copy stays until its user has decided."""
    return (
        f"warning: Pod {copy.full_name} has gone since the migration began, and not by this project: it is not made "
        f"anew. To have it back: kubectl -n {SYSTEM} get secret {copy.secret} -o jsonpath='{{.data.pod\\.json}}' | "
        f"base64 -d | kubectl create -f -; to give it up: kubectl -n {SYSTEM} delete secret {copy.secret}"
    )


def _sentence(copy: Copy, answer: str) -> str:
    return (
        f"Pod {copy.full_name} was deleted for the sake of its network and cannot be made anew: {answer}. Its manifest "
        f"is safe in Secret {SYSTEM}/{copy.secret}; mend what refuses it and run the same command again, or give the "
        f"Pod up: kubectl -n {SYSTEM} delete secret {copy.secret}"
    )
