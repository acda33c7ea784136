"""The parts of the page, one function a part: what there is to show of it, or what to do where there is nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bench.migrations import BY_HAND, ways
from bench.results import Results
from bench.summary import summary
from bench.verdict import shown
from report import charts
from report.flows import Flow
from report.packet import Part as Header
from report.page import Part
from report.verdict import rows as verdict_rows

# What belongs next to the claims: what is left without the larger MTU, the middle round trip, what the claims do not
# speak of, and the network without Pods.
BESIDE = (
    "other-node/tcp-1-equal-mss/gbits",
    "other-node/round-trip/p50",
    "other-node/connect/connects",
    "host/tcp-1/gbits",
)
_FACTS = ("requests", "failures", "longestGapSeconds", "connectionsBroken")


def packet(captures: Mapping[str, Sequence[Header]], unread: Sequence[str] = ()) -> Part:
    """The packet before and after, by the CNI's name; `unread` says of which captures nothing can be drawn, and why."""
    title = "A ping on the wire"
    if not captures:
        return Part(
            title=title, text=unread, missing="There is no capture yet: `make migrate` takes one of each network."
        )
    sums = [
        f"{of}: {sum(part.size for part in parts)} bytes in the frame, "
        f"{sum(part.size for part in parts if part.outer)} of them the tunnel's."
        for of, parts in captures.items()
    ]
    rows = [(of, part.name, part.start, part.size) for of, parts in captures.items() for part in parts]
    drawn = Markup(charts.packet(captures))
    files = [f"{cni}.pcap" for cni in captures]
    head = ("", "header", "at byte", "bytes")
    return Part(title=title, text=[*sums, *unread], svg=drawn, head=head, rows=rows, files=files)


def verification(outputs: Mapping[str, Mapping[str, Any]]) -> Part:
    """What the stacks say of themselves, side by side, by their names."""
    title = "What was verified"
    found = {stack: said["verification"] for stack, said in outputs.items() if said.get("verification")}
    if not found:
        return Part(title=title, missing="No verified stack was given: `make migrate` makes both.")
    return Part(title=title, head=("", *found), rows=verdict_rows(list(found.values())))


def interruption(stack: str, report: Mapping[str, Any]) -> Part:
    """What a migration interrupted, step by step, from the stack's output of that name."""
    title = f"The migration to {stack}, step by step"
    if not report.get("measured"):
        return Part(title=title, missing=f"Not measured: {report.get('why') or 'the stack has no such output'}.")
    text = (
        f"{report['strategy']}: {report['failures']} of {report['requests']} new connections failed, the longest gap "
        f"was {report['longestGapSeconds']} s, {report['connectionsBroken']} held connections broke."
    )
    rows = [
        (step["step"], step["seconds"], name, *(kind[fact] for fact in _FACTS))
        for step in report["steps"]
        for name, kind in step["kinds"].items()
        if kind["failures"] or kind["connectionsBroken"]
    ]
    head = ("step", "seconds", "traffic", "requests", "failed", "longest gap, s", "held, broken")
    return Part(
        title=title, text=[text, *_outside(report)], svg=Markup(charts.timeline(report["steps"])), head=head, rows=rows
    )


def _outside(report: Mapping[str, Any]) -> list[str]:
    """What somebody outside of the cluster saw, where one was asked for."""
    seen: Mapping[str, Any] = report.get("outside") or {}
    if not seen or "why" in seen:
        return [f"From outside: not known: {seen['why']}"] if seen else []
    return [
        f"From outside: {seen['failures']} of {seen['requests']} new connections by node ports failed, "
        f"{seen['connectionsBroken']} held ones broke."
    ]


def benchmark(results: Results | None) -> Part:
    """Ratios, controls, and the article's claims with their verdicts."""
    title = "The benchmark against the article"
    found = summary(results) if results else None
    if not results or not found or not found.rows:
        return Part(title=title, missing="There is no benchmark yet: `make bench` or `make bench-full`.")
    text = [
        f"{results.run.mode}, {results.run.pairs} pairs, seed {results.run.seed}"
        + ("; indicative only." if results.run.indicative else "."),
        f"Controls that do not include 1: {', '.join(found.controls_off()) or 'none'}.",
    ]
    if any(row.insensitive for row in found.rows):
        text.append("†: the same ranks on loopback take more than half of the time, so it says little about a network.")
    rows = [
        (
            one.claim.words,
            shown(one.row.measured) if one.row else "-",
            one.verdict.direction,
            one.verdict.size or "-",
            one.verdict.why,
            one.claim.by_ours,
        )
        for one in found.judged
    ]
    head = ("the article", "Cilium / Flannel", "at all", "by as much", "why", "how it was measured")
    # By name: they were measured in a drawn order.
    everything = sorted(found.rows, key=lambda row: row.metric)
    claimed = [one.claim.metric for one in found.judged]
    shown_first = [row for name in (*claimed, *BESIDE) if (row := found.row(name))]
    drawn = [Markup(charts.ratios(found, some)) for some in (shown_first, everything)]
    return Part(title=title, text=text, svg=drawn[0], more=drawn[1], head=head, rows=rows)


def migrations(results: Results | None) -> Part:
    """The migration by hand and by `pulumi up`: how long, and what somebody outside noticed of it."""
    title = "The migration by hand and by pulumi up"
    if not results or not results.migrations:
        return Part(title=title, missing="There is no comparison yet: make bench-migration, twelve minutes a round.")
    rows = [
        (
            way.name,
            len(way.seconds),
            f"{min(way.seconds):.0f} to {max(way.seconds):.0f}",
            "-" if way.ratio is None else shown(way.ratio) if way.ratio.pairs > 1 else f"{way.ratio.ratio:.2f}",
            f"{way.failures:,} of {way.requests:,}",
            f"{min(way.gaps):.1f} to {max(way.gaps):.1f}",
        )
        for way in ways(results)
    ]
    head = ("way", "runs", "s", f"time / {BY_HAND}", "failed of new connections", "longest gap, s")
    text = "Connections from outside to a node port, one every 50 ms, while Flannel makes way for Cilium."
    return Part(title=title, text=[text], head=head, rows=rows)


def hubble(flows: Sequence[Flow]) -> Part:
    """The map of the services and the top flows."""
    title = "Who talks to whom"
    if not flows:
        return Part(title=title, missing="There are no flows: Hubble answers while stack cilium has the cluster.")
    top = [(flow.source, flow.target, flow.protocol, flow.port, flow.verdict, flow.count) for flow in flows[:20]]
    head = ("from", "to", "protocol", "port", "verdict", "flows")
    return Part(title=title, svg=Markup(charts.service_map(flows[:60])), head=head, rows=top)
