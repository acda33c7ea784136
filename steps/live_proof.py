"""Whether each Pod of a node is served, as far as can be asked from outside of it."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Literal

from steps.doors.node import on_node
from steps.findings.tenants import Tenant
from steps.live_pods import Place, endpoints, tenants
from steps.running import StepError, say
from steps.side_by_side import each

# Seconds for which an endpoint may take to be ready; for which a Pod may take to answer.
_SETTLE, _ANSWER = 30, 10


def at_rest(place: Place) -> bool:
    """Whether no move of a node of Flannel's is under way: nothing keeps new Pods from it, and no move waits for its
    proof. So it is where another strategy has moved it, or one that is taken back never came to it: no Pod there is
    touched."""
    holding = on_node(place.node, "hold", env={"STEP": "said"}).strip()
    return not holding and not _noted(place, "unproved")


def note_quiet(place: Place, asker: str, pods: Collection[Tenant]) -> None:
    """Keeps on the node what each of its Pods does not answer while its old CNI has it: a firewall of its own is no
    fault of the new one's. Says who they are. What an earlier move has noted and not proved stays: behind it a Pod may
    be quiet since it was moved."""
    found = _asked(place, asker, reach=pods, near=pods, far=pods)
    before = _noted(place, "unproved")
    silences = {
        pod.sandbox.id: before.get(pod.sandbox.id, [question for question, wrong in found.items() if pod in wrong])
        for pod in pods
    }
    if names := " ".join(sorted(pod.full_name for pod in pods if silences[pod.sandbox.id])):
        say(f"{place.node}: these Pods do not answer all that is asked, and need not behind the move: {names}")
    lines = "".join(f"{sandbox} {' '.join(questions)}\n" for sandbox, questions in silences.items())
    on_node(place.node, "quiet", env={"STEP": "note"}, stdin=lines)


def prove_cilium(place: Place, asker: str) -> None:
    """Its agent says so of each Pod, the Pod reaches a Service, and it answers by its address, from its own node and
    from `asker`, as far as it did before and as its policies permit it. Raises StepError naming those of which that
    does not hold."""
    pods = tenants(place)
    _demand(place, unready(place, pods), "are not ready to Cilium's agent")
    # A policy lets a Pod's own node in, and need not let in another.
    free = unpoliced(place, pods)
    _prove(place, asker, reach=free, near=pods, far=free)


def prove_flannel(place: Place, asker: str) -> None:
    """The same, of each Pod, as far as it did before: what a policy of Cilium's kept from it then is not asked for."""
    pods = tenants(place)
    _prove(place, asker, reach=pods, near=pods, far=pods)


def _prove(
    place: Place, asker: str, *, reach: Collection[Tenant], near: Collection[Tenant], far: Collection[Tenant]
) -> None:
    excused = _noted(place, "list")

    def loud(question: str, pods: Collection[Tenant]) -> list[Tenant]:
        return [pod for pod in pods if question not in excused.get(pod.sandbox.id, [])]

    silences = _asked(place, asker, reach=loud("reach", reach), near=loud("near", near), far=loud("far", far))
    _demand(place, silences["reach"], "do not reach a Service")
    _demand(place, silences["near"], f"do not answer by their address from {place.node}")
    _demand(place, silences["far"], f"do not answer by their address from {asker}")
    on_node(place.node, "quiet", env={"STEP": "proved"})


def _asked(
    place: Place, asker: str, *, reach: Collection[Tenant], near: Collection[Tenant], far: Collection[Tenant]
) -> dict[str, list[Tenant]]:
    """Those that do not, by the question: whether they reach a Service, and answer the node itself (`near`) and `asker`
    (`far`). Side by side, since each question waits for whoever is slow."""
    return each(
        {
            "reach": lambda: unreaching(place, reach),
            "near": lambda: silent(place.node, near),
            # Where there is no other node, it would be the same question.
            "far": lambda: silent(asker, far if asker != place.node else ()),
        },
        "the questions to Pods",
    )


def _noted(place: Place, step: Literal["list", "unproved"]) -> dict[str, list[str]]:
    """The questions that were not answered, by sandbox."""
    said = on_node(place.node, "quiet", env={"STEP": step})
    return {words[0]: words[1:] for words in map(str.split, said.splitlines()) if words}


def _demand(place: Place, wrong: Collection[Tenant], what: str) -> None:
    # One that has ended meanwhile need not answer.
    running = {pod.sandbox.id for pod in tenants(place)} if wrong else set[str]()
    if names := sorted(pod.full_name for pod in wrong if pod.sandbox.id in running):
        raise StepError(
            f"{place.node}: these Pods {what}: {' '.join(names)}. The node stays cordoned; run the same command again, "
            "or restart them"
        )


def silent(asker: str, pods: Collection[Tenant]) -> list[Tenant]:
    """Those whose address does not answer the node `asker`."""
    rows = "".join(f"{pod.address}\n" for pod in pods)
    answered = on_node(asker, "answers", env={"SECONDS_MAX": str(_ANSWER)}, stdin=rows).split() if pods else []
    return [pod for pod in pods if pod.address not in answered]


def unready(place: Place, pods: Collection[Tenant]) -> list[Tenant]:
    """Those whose endpoint is not ready within 30 s."""
    deadline = time.monotonic() + _SETTLE
    while True:
        known = endpoints(place)
        waiting = [pod for pod in pods if pod.sandbox.id not in known or known[pod.sandbox.id].state != "ready"]
        if not waiting or time.monotonic() >= deadline:
            return waiting
        time.sleep(0.5)  # between two looks, not in place of a condition


def unreaching(place: Place, pods: Collection[Tenant]) -> list[Tenant]:
    """Those that do not reach the API by its Service."""
    rows = "".join(f"{pod.sandbox.id} {pod.sandbox.pid}\n" for pod in pods)
    reach = on_node(place.node, "reaches", env={"SECONDS_MAX": str(_ANSWER)}, stdin=rows).split() if pods else []
    return [pod for pod in pods if pod.sandbox.id not in reach]


def unpoliced(place: Place, pods: Collection[Tenant]) -> list[Tenant]:
    """Those for which no policy holds."""
    known = endpoints(place)
    return [pod for pod in pods if pod.sandbox.id in known and not known[pod.sandbox.id].policed]
