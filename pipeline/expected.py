"""What a migration is expected to interrupt, and what it loses: by the facts of its strategy, and by what was measured.
Pure; the figures are those of docs/measurements.md, whose table is read, so that they have one home."""

from __future__ import annotations

import re

from settings.strategy import Strategy

SOURCE = "docs/measurements.md"
_CELLS = re.compile(r"^\|(.+)\|$", re.MULTILINE)
_ROW = re.compile(r"`(?P<strategy>\w+)`, (?P<cni>\w+)")


def measured(page: str, strategy: str, cni: str) -> str:
    """What the table says of this strategy to this CNI, empty where it has no such row."""
    header: list[str] = []
    for line in _CELLS.findall(page):
        cells = [cell.strip() for cell in line.split("|")]
        if any(cell.startswith("longest gap") for cell in cells):
            header = cells
            continue
        row = _ROW.fullmatch(cells[0])
        if not header or not row or (row["strategy"], row["cni"].lower()) != (strategy, cni):
            continue
        told = dict(zip(header, cells, strict=False))
        wanted = ("s", "failed of new connections", "longest gap of each run, s", "held connections broken")
        if any(not told.get(name) for name in wanted):
            return ""
        took, failed, gap, broken = (told[name] for name in wanted)
        return (
            f"measured in {told['runs']} runs ({SOURCE}): {failed} new connections failed, longest gap of a run "
            f"{gap} s (median, least to most), {broken} held connections broken, {took} s in all"
        )
    return ""


def interruption(strategy: Strategy) -> str:
    """What goes down while it runs, by its facts."""
    if strategy.takes_network_down:
        return "the whole Pod network is down from the old CNI's end until the new one is ready (Pods, Services, DNS)"
    if strategy.drains:
        return "no new connection fails; Pods are drained node by node, so one with a single replica is away meanwhile"
    if strategy.keeps_pods:
        return "no connection between Pods, Services and nodes ends, and no Pod is restarted"
    return "the Pod network stays up"


def losses(strategy: Strategy) -> list[str]:
    """What nobody brings back, by the strategy's facts (docs/operations.md)."""
    if strategy.takes_network_down:
        return [
            "every connection of Pods on the Pod network",
            "the Pods themselves, each made anew (a Job counts its own as failed; ephemeral containers and logs of "
            "completed Pods go)",
        ]
    if strategy.drains:
        return [
            "long-lived connections of drained Pods",
            "what is in their `emptyDir` volumes",
        ]
    if strategy.keeps_pods:
        return [
            "open connections that come in by a node port or a load balancer, and new ones through a node to its own "
            "Pods for the seconds until Cilium has been told of them"
        ]
    return []
