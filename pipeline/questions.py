"""What preflight would find, asked now, as far as that touches nothing; and who keeps the CNI from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.events import Planned
from pipeline.values import SECRET
from pipeline.world import World
from steps.doors.kubectl import Kubectl, cluster
from steps.doors.once import Once
from steps.looking import Looking, Needs
from steps.nodes import nodes
from steps.preflight_owners import marked, owners
from steps.running import StepError, read

_WARNING = "warning: "
_PLAN = "the engine, what would change"
_OURS = "the cluster, what preflight would find and who else keeps its CNI"
_ON_NODES = (
    "each node itself (images, kernel, other CNIs' configuration, the way to its peers, the API's address): a look "
    "there pulls images and makes devices to try, so `up` does it first, before anything else is touched"
)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """`in_the_way` would stop an `up`; `lost` and `to_know` bar no way. `not_asked` is each question without an answer,
    with the reason. `outside` are those who keep the CNI from outside."""

    in_the_way: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    to_know: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


def ask(plan: Planned, world: World) -> Answers:
    """Asks the cluster that answers; any other has nothing to say."""
    if world.state == "none":
        return Answers()
    if world.state == "silent":
        return Answers(not_asked=(_PLAN, f"{_OURS}, since it does not answer: {world.said}"))
    if world.state != "answers":
        return Answers(not_asked=(f"{_OURS}: {world.said}",))
    try:
        with cluster(world.cluster) as asked:
            return _of(plan, world, Once(asked))
    except StepError as error:
        return Answers(not_asked=(f"{_OURS}: {error}",))


def _of(plan: Planned, world: World, kubectl: Kubectl) -> Answers:
    missed: list[str] = []
    to_know: list[str] = []
    outside: list[str] = []
    goes_on = world.marker.get("phase") == "migrating"
    if plan.claims or goes_on:
        # The program's own word: whether it goes to the end or pauses is in no resource.
        to_know += [said for said in plan.program if said.startswith(f"cluster {world.cluster}: ")]
    try:
        # Where nodes are to move preflight names what is marked by itself, in its own words.
        found = [*owners(kubectl), *([] if plan.claims else marked(kubectl))]
        outside = [owner.sentence for owner in found]
    except StepError as error:
        missed.append(f"who outside of the cluster keeps its CNI: {error}")
    try:
        to_know += [_stands(kubectl, world.marker["cni"])] if goes_on else []
    except StepError as error:
        missed.append(f"how many nodes have moved: {error}")
    if not plan.looks:
        if plan.ended != "succeeded":
            missed.append("what preflight would find: the preview failed before it came to that")
        return Answers(to_know=tuple(to_know), not_asked=tuple(missed), outside=tuple(outside))
    try:
        needs = read(Needs, _words(plan.preflight.get("environment", {})))
    except StepError as error:
        return Answers(to_know=tuple(to_know), not_asked=(*missed, str(error)), outside=tuple(outside))
    values = str(plan.preflight.get("stdin") or "")
    if needs.chart and SECRET in (values, needs.chart_repository):
        missed.append("what the chart brings, and whether the API lets it in: its values are secret")
        needs, values = replace(needs, chart=""), ""
    heard = Looking(needs, kubectl, values).everything(on_nodes=False)
    in_the_way = [line for line in heard.lines if line not in (*heard.unheard, *outside)]
    return Answers(
        in_the_way=tuple(in_the_way),
        lost=tuple(line for line in heard.said if not line.startswith(_WARNING)),
        to_know=(*to_know, *(line.removeprefix(_WARNING) for line in heard.said if line.startswith(_WARNING))),
        not_asked=(*missed, *heard.unheard, _ON_NODES),
        outside=tuple(outside),
    )


def _words(environment: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in environment.items()}


def _stands(kubectl: Kubectl, cni: str) -> str:
    found = nodes(kubectl)
    moved = [node.name for node in found if node.owner == cni]
    names = f" ({', '.join(moved)})" if moved else ""
    return f"the migration to {cni} is under way: {len(moved)} of {len(found)} nodes have it by now{names}"
