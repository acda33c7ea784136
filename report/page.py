"""The page: one HTML file with everything in it, no script and no address but those of the captures beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench.results import Results
from bench.summary import summary
from bench.verdict import shown
from report import charts
from report.flows import Flow
from report.packet import Part as Header


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the page. `missing` says what to do where there is nothing to show; `files` lie beside the page."""

    title: str
    missing: str = ""
    text: Sequence[str] = ()
    svg: Markup | None = None
    head: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    files: Sequence[str] = ()


def page(parts: Sequence[Part]) -> str:
    """The whole page. What comes from a cluster is escaped: a Pod's name must not become markup."""
    where = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    return where.get_template("page.html.j2").render(parts=parts)


_FACTS = ("requests", "failures", "longestGapSeconds", "connectionsBroken")


def packet(captures: Mapping[str, Sequence[Header]], files: Sequence[str]) -> Part:
    """The packet before and after, by the CNI's name."""
    title = "A ping on the wire"
    if not captures:
        return Part(title=title, missing="No capture was given: --flannel-pcap and --cilium-pcap name them.")
    sums = [
        f"{of}: {sum(part.size for part in parts)} bytes in the frame, "
        f"{sum(part.size for part in parts if part.outer)} of them the tunnel's."
        for of, parts in captures.items()
    ]
    rows = [(of, part.name, part.start, part.size) for of, parts in captures.items() for part in parts]
    drawn = Markup(charts.packet(captures))
    return Part(title=title, text=sums, svg=drawn, head=("", "header", "at byte", "bytes"), rows=rows, files=files)


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
    return Part(title=title, text=[text], svg=Markup(charts.timeline(report["steps"])), head=head, rows=rows)


def benchmark(results: Results | None) -> Part:
    """Ratios, controls, and the article's claims with their verdicts."""
    title = "The benchmark against the article"
    found = summary(results) if results else None
    if not results or not found or not found.rows:
        return Part(title=title, missing="No benchmark was given: --bench names its results.")
    text = [
        f"{results.run.mode}, {results.run.pairs} pairs, seed {results.run.seed}"
        + ("; indicative only." if results.run.indicative else "."),
        f"Controls that do not include 1: {', '.join(found.controls_off()) or 'none'}.",
    ]
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
    return Part(title=title, text=text, svg=Markup(charts.ratios(found)), head=head, rows=rows)


def hubble(flows: Sequence[Flow]) -> Part:
    """The map of the services and the top flows."""
    title = "Who talks to whom"
    if not flows:
        return Part(title=title, missing="No flows were given: --flows names a file of `hubble observe -o jsonpb`.")
    top = [(flow.source, flow.target, flow.protocol, flow.port, flow.verdict, flow.count) for flow in flows[:20]]
    head = ("from", "to", "protocol", "port", "verdict", "flows")
    return Part(title=title, svg=Markup(charts.service_map(flows[:60])), head=head, rows=top)
