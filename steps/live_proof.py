"""Whether each Pod of a node is served, as far as can be asked from outside of it."""

from __future__ import annotations

import time
from collections.abc import Collection

from steps.doors.node import on_node
from steps.findings.tenants import Tenant
from steps.live_pods import Place, endpoints, tenants
from steps.running import StepError, say

# Seconds for which an endpoint may take to be ready; for which a Pod may take to answer.
_SETTLE, _ANSWER = 30, 10


def note_quiet(place: Place, asker: str) -> None:
    """Keeps on the node which of its Pods do not answer, or reach no Service, while their old CNI has them: a firewall
    of their own is no fault of the new one's. Says who they are; a move that goes on has it from before."""
    pods = tenants(place)
    quiet = {pod.sandbox.id: pod for pod in unreaching(place, pods)}
    for source in dict.fromkeys((place.node, asker)):
        quiet |= {pod.sandbox.id: pod for pod in silent(source, pods)}
    if quiet:
        names = " ".join(sorted(pod.full_name for pod in quiet.values()))
        say(
            f"{place.node}: these Pods do not answer or reach a Service as it is, and need not behind the move: {names}"
        )
    on_node(place.node, "quiet", env={"STEP": "note"}, stdin="".join(f"{sandbox}\n" for sandbox in quiet))


def prove_cilium(place: Place, asker: str) -> None:
    """Its agent says so of each Pod, the Pod reaches a Service, and it answers by its address, from its own node and
    from `asker`, as far as it did before and as its policies permit it. Raises StepError naming those of which that
    does not hold."""
    pods = tenants(place)
    _demand(place, unready(place, pods), "are not ready to Cilium's agent")
    loud = _loud(place, pods)
    _demand(place, unreaching(place, unpoliced(place, loud)), "do not reach a Service")
    for source in dict.fromkeys((place.node, asker)):
        # A policy lets a Pod's own node in, and need not let in another.
        asked = loud if source == place.node else unpoliced(place, loud)
        _demand(place, silent(source, asked), f"do not answer by their address from {source}")
    on_node(place.node, "quiet", env={"STEP": "forget"})


def prove_flannel(place: Place, asker: str) -> None:
    """The same, of each Pod: nobody asks for a policy there."""
    loud = _loud(place, tenants(place))
    _demand(place, unreaching(place, loud), "do not reach a Service")
    for source in dict.fromkeys((place.node, asker)):
        _demand(place, silent(source, loud), f"do not answer by their address from {source}")
    on_node(place.node, "quiet", env={"STEP": "forget"})


def _loud(place: Place, pods: Collection[Tenant]) -> list[Tenant]:
    """Those that have to answer."""
    quiet = set(on_node(place.node, "quiet", env={"STEP": "list"}).split())
    return [pod for pod in pods if pod.sandbox.id not in quiet]


def _demand(place: Place, wrong: list[Tenant], what: str) -> None:
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
