"""The first sentences of a summary: who owns the cluster, what this stack makes of it, what that costs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.events import Planned
from pipeline.expected import interruption, losses, measured
from pipeline.world import World
from settings.strategy import STRATEGIES


def sentences(stack: str, plan: Planned, world: World, page: str, lost: Sequence[str] = ()) -> list[str]:
    """The first is what a reviewer must not miss. `page` is that of the measurements; `lost` is what preflight would
    say besides."""
    if world.state == "silent":
        name = f"cluster `{world.cluster}`" if world.cluster else "the cluster"
        return [f"**No preview:** {name} does not answer, so nobody knows what stack {stack} would do with it."]
    if plan.ended != "succeeded":
        return [f"**The preview of stack {stack} failed.** {_capital(owned(world))}."]
    if not plan.changes:
        kept = f" Only what the state keeps of them would be written: {_names(plan.kept)}." if plan.kept else ""
        return [f"**Nothing changes:** {owned(world)}.{kept}"]
    told: Mapping[str, Any] = plan.preflight.get("environment", {})
    goes_on = world.marker.get("phase") == "migrating"
    if not plan.claims and not goes_on:
        return [f"{_capital(owned(world))}, and stays so: nothing moves, {len(plan.changes)} resources change."]
    first = f"{_capital(owned(world))}; {_becomes(stack, told, world)}: {_nodes(told)}."
    if world.state != "answers":
        return [first, "**Expected interruption:** none, since nobody uses it yet."]
    return [first, *_costs(told, page, lost)]


def owned(world: World) -> str:
    """Who owns the cluster now."""
    if world.state == "none":
        return f"there is no cluster `{world.cluster}`"
    if world.state != "answers":
        return f"whose the cluster is, was not looked at ({world.said})"
    marker = world.marker
    if not marker:
        return f"cluster `{world.cluster}` is there and nobody has claimed it"
    where = f"epoch {marker['epoch']}, {marker['phase']}"
    return f"cluster `{world.cluster}` is owned by stack {marker['stack']} with {marker['cni']} ({where})"


def _becomes(stack: str, told: Mapping[str, Any], world: World) -> str:
    cni, by = told.get("CNI", "its CNI"), told.get("STRATEGY", "its strategy")
    if world.state == "none":
        return f"this makes it, and stack {stack} will own it with {cni}"
    owner = (world.marker.get("stack"), world.marker.get("cni"))
    if owner != (stack, cni):
        to = f"to {cni}" if owner[0] == stack else f"to stack {stack} with {cni}"
        return f"this hands it {to} by {by}" if world.marker else f"this takes it on for stack {stack}, {to} by {by}"
    if world.marker.get("phase") == "migrating":
        return f"this goes on with the migration to {cni} by {by}"
    return f"the state of stack {stack} does not know it so, and the whole way to {cni} by {by} is gone again"


def _costs(told: Mapping[str, Any], page: str, lost: Sequence[str]) -> list[str]:
    strategy = STRATEGIES.get(str(told.get("STRATEGY")))
    if strategy is None:
        return ["**Expected interruption:** not known, since preflight's inputs do not name the strategy."]
    figures = measured(page, strategy.name, str(told.get("CNI")))
    said = f"; {figures}" if figures else "; nobody has measured it for this CNI"
    gone = [*losses(strategy), *lost]
    return [
        f"**Expected interruption:** {interruption(strategy)}{said}.",
        f"**What is lost:** {'; '.join(gone)}." if gone else "**What is lost:** nothing that is known.",
    ]


def _nodes(told: Mapping[str, Any]) -> str:
    names = str(told.get("NODES", "")).split()
    return f"{len(names)} nodes" if names else "its nodes are not known"


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
