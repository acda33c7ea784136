"""The verdict of a stack's outputs, as a sentence and the reasons against it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from plan.ownership import Marker
from settings.strategy import STRATEGIES


@dataclass(frozen=True, kw_only=True)
class Said:
    """`lines` are for the reader; `wrong` is why the stage fails, nothing where it does not."""

    lines: tuple[str, ...]
    wrong: tuple[str, ...]


def verdict(stack: str, outputs: Mapping[str, Any], marker: Marker | None) -> Said:
    """`outputs` are the stack's, `marker` the cluster's: an `up` that failed leaves the outputs of the one before, and
    a stack that lost the cluster those of its own time."""
    lines: list[str] = []
    wrong: list[str] = [*_stale(stack, outputs, marker)]
    found = _part(outputs, "verification")
    if not found:
        wrong.append("the stack has no output `verification`: nothing was measured")
    else:
        cni, wire = found.get("cni"), f"{found.get('encapsulation')}, {found.get('icmpWireBytes')} bytes a ping"
        lines.append(f"verification: {cni}, {wire}, routing {found.get('routing')}")
        if found.get("ok") is not True:
            wrong.append("the network is not what its CNI promises")
        wrong += _unmeasured(_part(found, "basis"))
    cost = _part(outputs, "interruption")
    lines.append(_interruption(cost))
    strategy = STRATEGIES.get(str(cost.get("strategy", "")))
    if strategy and strategy.enforces_budget and cost.get("withinBudget") is not True:
        wrong.append(f"it interrupted more than migration.budget allows: {cost.get('why')}")
    if outputs.get("paused"):
        lines.append(f"paused: {outputs['paused']}")
    return Said(lines=tuple(lines), wrong=tuple(wrong))


def _stale(stack: str, outputs: Mapping[str, Any], marker: Marker | None) -> list[str]:
    if marker is None:
        return ["nobody owns the cluster, so the outputs are of an earlier one"]
    if (marker.stack, str(marker.epoch), marker.cni) != (stack, str(outputs.get("epoch")), outputs.get("cni")):
        now = f"stack {marker.stack} with {marker.cni}, epoch {marker.epoch}"
        return [f"the outputs are of {outputs.get('cni')}, epoch {outputs.get('epoch')}, and the cluster is {now}"]
    if not (marker.finished or marker.progress.paused):
        return [f"the cluster's migration has not ended: it is {marker.phase}"]
    if marker.finished == bool(outputs.get("paused")):
        return ["the outputs and the marker do not agree whether the migration is paused"]
    return []


def _unmeasured(basis: Mapping[str, Any]) -> list[str]:
    """What was asked and did not answer; a verdict without a basis rests on nothing."""
    if not basis:
        return ["the verdict does not say how much it rests on"]
    return [
        f"{what}: {_part(basis, what).get('answered')} of {_part(basis, what).get('asked')} answered"
        for what in basis
        if not _part(basis, what).get("asked") or _part(basis, what).get("answered") != _part(basis, what).get("asked")
    ]


def _interruption(cost: Mapping[str, Any]) -> str:
    if cost.get("measured") is not True:
        return f"interruption: not measured: {cost.get('why', 'the stack has no such output')}"
    counts = f"{cost.get('failures')} of {cost.get('requests')} new connections failed"
    gap = f"longest gap {cost.get('longestGapSeconds')} s ({cost.get('strategy')})"
    return f"interruption: {counts}, {gap}{_outside(cost)}"


def _outside(cost: Mapping[str, Any]) -> str:
    seen = _part(cost, "outside")
    if not seen or "why" in seen:
        return f"; from outside not known: {seen['why']}" if seen else ""
    counts = f"{seen.get('failures')} of {seen.get('requests')} new connections failed"
    return f"; from outside {counts}, {seen.get('connectionsBroken')} held ones broke"


def _part(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found: object = tree.get(key)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
