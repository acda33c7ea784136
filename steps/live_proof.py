"""Whether each Pod of a node is served, as far as can be asked from outside of it."""

from __future__ import annotations

import time
from collections.abc import Collection

from steps.doors.node import on_node
from steps.findings.tenants import Tenant
from steps.live_pods import Place, endpoints, tenants
from steps.running import StepError, say
from steps.side_by_side import each

# Seconds for which an endpoint may take to be ready; for which a Pod may take to answer.
_SETTLE, _ANSWER = 30, 10


def note_quiet(place: Place, asker: str, pods: Collection[Tenant]) -> None:
    """Keeps on the node which of its Pods do not answer, or reach no Service, while their old CNI has them: a firewall
    of their own is no fault of the new one's. Says who they are; a move that goes on has it from before."""
    found = _asked(place, asker, reaching=pods, near=pods, far=pods)
    quiet = {pod.sandbox.id: pod for each_of in found.values() for pod in each_of}
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
    free = unpoliced(place, loud)
    # A policy lets a Pod's own node in, and need not let in another.
    _prove(place, asker, reaching=free, near=loud, far=free)


def prove_flannel(place: Place, asker: str) -> None:
    """The same, of each Pod: nobody asks for a policy there."""
    loud = _loud(place, tenants(place))
    _prove(place, asker, reaching=loud, near=loud, far=loud)


def _prove(
    place: Place, asker: str, *, reaching: Collection[Tenant], near: Collection[Tenant], far: Collection[Tenant]
) -> None:
    for what, pods in _asked(place, asker, reaching=reaching, near=near, far=far).items():
        _demand(place, pods, f"do not {what}")
    on_node(place.node, "quiet", env={"STEP": "forget"})


def _asked(
    place: Place, asker: str, *, reaching: Collection[Tenant], near: Collection[Tenant], far: Collection[Tenant]
) -> dict[str, list[Tenant]]:
    """Those that do not, by what they are to do: `reaching` a Service, and answer the node itself (`near`) and `asker`
    (`far`). Side by side, since each waits for whoever is slow."""
    return each(
        {
            "reach a Service": lambda: unreaching(place, reaching),
            f"answer by their address from {asker}": lambda: silent(asker, far),
            # Behind the other: where there is no other node, it is this one that is asked.
            f"answer by their address from {place.node}": lambda: silent(place.node, near),
        },
        "the proof",
    )


def _loud(place: Place, pods: Collection[Tenant]) -> list[Tenant]:
    """Those that have to answer."""
    quiet = set(on_node(place.node, "quiet", env={"STEP": "list"}).split())
    return [pod for pod in pods if pod.sandbox.id not in quiet]


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
