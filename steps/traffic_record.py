"""Starts to record what a migration interrupts: on each node the probers find the recording's name in `run`.

Where the network is not up, or a prober has no answer, that is a failure of a strategy that has to be measured. Another
goes on unmeasured, since it may be what mends the network; that is noted, so that no later `up` begins to measure
behind what it cost. Where no migration is due there is nothing to measure.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from steps import marker, outside
from steps.doors.kubectl import Kubectl, cluster
from steps.findings.lives import written
from steps.names import MEASUREMENT, TRAFFIC, TRAFFIC_HOST
from steps.nodes import nodes
from steps.pods import lives
from steps.probers import await_rollout, probers_of
from steps.recordings import UnmeasuredError, inside, name_of, on_all
from steps.running import StepError, main, say

# Seconds within which each prober has to have an answer from the network.
_ANSWER = 15


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`due` is whether a migration is to begin or to go on, behind a pause where `leg` is above 0. `must_be_measured`
    is a fact of the strategy; `nodes` are all, `control_plane` the one that keeps the steps. `outside`: the cluster is
    asked from outside of it, too, by a container of `image` at `hertz`."""

    cluster: str
    stack: str
    generation: str
    epoch: str
    leg: int
    due: bool
    must_be_measured: bool
    nodes: tuple[str, ...]
    control_plane: str
    outside: bool
    image: str
    hertz: str


def verb(needs: Needs) -> None:
    """Returns once every prober has an answer in its log, or there is nothing to measure."""
    state = _inside(needs, "state").strip()
    if state in ("reported", "recorded"):
        say(f"the interruption of this migration (epoch {needs.epoch}) is {state} already; nothing is recorded")
    elif state == "unmeasured":
        say(f"this migration (epoch {needs.epoch}) began unmeasured, so nothing is recorded of its rest")
    elif state == "recording":
        say(f"the recording of this migration's interruption (epoch {needs.epoch}) goes on")
        _on_all(needs, "touch", needs.nodes)
        if needs.outside:
            outside.look_after(needs.cluster, _name(needs))
    elif not needs.due:
        say("no migration is due, so there is no interruption to record")
    else:
        with cluster(needs.cluster) as kubectl:
            if needs.leg:
                # The first step behind a pause: from here on nobody else may take the migration for a paused one.
                marker.take_hold(kubectl, cluster=needs.cluster, stack=needs.stack, epoch=needs.epoch)
            _begin_or_say_why_not(kubectl, needs)


def _begin_or_say_why_not(kubectl: Kubectl, needs: Needs) -> None:
    try:
        _begin(kubectl, needs)
    except UnmeasuredError as error:
        outside.away(needs.cluster)
        if needs.must_be_measured:
            raise StepError(
                f"{error}\nthis strategy goes by what is measured; mend that, or set migration:strategy to recreate"
            ) from error
        _inside(needs, "unmeasured", stdin=f"{str(error).splitlines()[0]}\n")
        say(f"{error}\nso the interruption is not measured")


def _begin(kubectl: Kubectl, needs: Needs) -> None:
    absent = [node.name for node in nodes(kubectl) if not node.ready]
    if absent:
        raise UnmeasuredError(f"the network was not up when the migration began: not ready: {', '.join(absent)}")
    patience = 120 if needs.must_be_measured else 30
    for workload in (f"daemonset/{TRAFFIC_HOST}", f"deployment/{TRAFFIC}"):
        await_rollout(kubectl, workload, patience)
    # It comes first: its record has to begin before the recording does.
    _ask_from_outside(kubectl, needs)
    probers = probers_of(kubectl)
    others = tuple(name for name in needs.nodes if name != needs.control_plane)
    _on_all(needs, "start", others)
    # The control plane's comes last: where it is, every node has one.
    _inside(needs, "start")
    say("recording what the migration interrupts")
    deadline = time.monotonic() + _ANSWER
    while silent := sorted(probers - _answered(needs)):
        if time.monotonic() >= deadline:
            # In the other order, so that one that was cut off begins anew.
            _inside(needs, "forget")
            _on_all(needs, "forget", others)
            raise UnmeasuredError(
                f"these probers have no answer from the network within {_ANSWER} s: {' '.join(silent)}. "
                f"See kubectl --namespace {MEASUREMENT} logs"
            )
        time.sleep(0.3)  # between two looks, not in place of a condition
    # Whom the report misses, where one of them leaves nothing behind.
    _inside(needs, "probers", stdin="".join(f"{name}\n" for name in sorted(probers)))
    _inside(needs, "note-pods", stdin=written({name: life for name, life in lives(kubectl).items() if not life.ended}))


def _ask_from_outside(kubectl: Kubectl, needs: Needs) -> None:
    if not needs.outside:
        # Of a migration that was given up.
        outside.away(needs.cluster)
        return
    outside.begin(
        kubectl,
        needs.cluster,
        _name(needs),
        image=needs.image,
        hertz=needs.hertz,
        beside=needs.control_plane,
        seconds=_ANSWER,
    )


def _answered(needs: Needs) -> set[str]:
    return {name for text in _on_all(needs, "answered", needs.nodes).values() for name in text.split()}


def _on_all(needs: Needs, step: str, names: tuple[str, ...]) -> dict[str, str]:
    return on_all(names, step, recording=_name(needs), control_plane=needs.control_plane)


def _inside(needs: Needs, step: str, stdin: str = "") -> str:
    node = needs.control_plane
    return inside(node, step, recording=_name(needs), control_plane=node, stdin=stdin)


def _name(needs: Needs) -> str:
    return name_of(needs.generation, needs.epoch, needs.leg)


if __name__ == "__main__":
    main(Needs, verb)
