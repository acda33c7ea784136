"""The charts, as SVG: no script in the page. Colours are the page's own variables: one drawing, both themes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import networkx as nx
import vl_convert

from bench.summary import Row, Summary
from report.flows import Flow
from report.packet import Part

INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
FLANNEL, CILIUM, BAD = "var(--flannel)", "var(--cilium)", "var(--bad)"
WIDTH = 720


def packet(captures: Mapping[str, Sequence[Part]]) -> str:
    """Each capture's frame to one scale; what the tunnel adds in its own colour."""
    rows = [
        {"of": of, "name": part.name, "start": part.start, "end": part.start + part.size, "outer": part.outer}
        | {"label": str(part.size), "middle": part.start + part.size / 2}
        for of, parts in captures.items()
        for part in parts
    ]
    y = alt.Y("of:N", title=None, sort=list(captures), scale=alt.Scale(paddingInner=0.45))
    base = alt.Chart(alt.Data(values=rows)).encode(y=y)
    bars = base.mark_bar(stroke="var(--paper)", strokeWidth=2, size=44).encode(
        x=alt.X("start:Q", title="bytes of the frame"),
        x2="end:Q",
        color=alt.condition("datum.outer", alt.value(FLANNEL), alt.value(CILIUM)),
    )
    names = base.mark_text(dy=-31, fontSize=10, color=INK).encode(x="middle:Q", text="name:N")
    sizes = base.mark_text(color="var(--paper)", fontWeight="bold").encode(x="middle:Q", text="label:N")
    return _svg((bars + sizes + names).properties(width=WIDTH, height=90 * max(len(captures), 1)))


def timeline(steps: Sequence[Mapping[str, Any]]) -> str:
    """A migration's steps one after the other, red where new connections failed in them."""
    rows: list[dict[str, Any]] = []
    start = 0.0
    for step in steps:
        failures = sum(kind["failures"] for kind in step["kinds"].values())
        rows.append({"step": step["step"], "start": start, "end": start + step["seconds"], "failures": failures})
        start += step["seconds"]
    base = alt.Chart(alt.Data(values=rows)).encode(y=alt.Y("step:N", title=None, sort=None))
    bars = base.mark_bar(minBandSize=3).encode(
        x=alt.X("start:Q", title="seconds since the migration began"),
        x2="end:Q",
        color=alt.condition("datum.failures > 0", alt.value(BAD), alt.value(CILIUM)),
    )
    text = base.transform_filter("datum.failures > 0").mark_text(align="left", dx=4, color=INK)
    said = text.transform_calculate(said="datum.failures + ' failed'").encode(x="end:Q", text="said:N")
    return _svg((bars + said).properties(width=WIDTH - 160, height=alt.Step(20)))


def ratios(found: Summary, metrics: Sequence[Row]) -> str:
    """The ratio of each of `metrics` with its interval against the line at 1; its control and the article's claim, if
    there is one, beside it."""
    claimed = {one.claim.metric: one.claim.ratio for one in found.judged if one.claim.ratio}
    rows: list[dict[str, Any]] = []
    for row in metrics:
        for of, it in (("measured", row.measured), ("control", row.control)):
            if it and it.high < math.inf:
                rows.append({"metric": row.label, "of": of, "ratio": it.ratio, "low": it.low, "high": it.high})
        if row.metric in claimed:
            at = claimed[row.metric]
            rows.append({"metric": row.label, "of": "the article", "ratio": at, "low": at, "high": at})
    kinds = {"measured": CILIUM, "control": MUTED, "the article": FLANNEL}
    y = alt.Y("metric:N", title=None, sort=None, axis=alt.Axis(labelLimit=260))
    colour = alt.Color("of:N", title=None, scale=alt.Scale(domain=list(kinds), range=list(kinds.values())))
    shape = alt.Shape("of:N", title=None, scale=alt.Scale(domain=list(kinds), range=["circle", "square", "diamond"]))
    offset = alt.YOffset("of:N", sort=list(kinds))
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, yOffset=offset, color=colour)
    x = alt.X("ratio:Q", title="Cilium / Flannel, 95 % interval", scale=alt.Scale(type="log", nice=False))
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, shape=shape)
    reach = base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q")
    one = alt.Chart(alt.Data(values=[{"ratio": 1}])).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="ratio:Q")
    return _svg((one + reach + points).properties(width=WIDTH - 260, height=alt.Step(12)))


def service_map(flows: Sequence[Flow]) -> str:
    """Who talks to whom: a line a conversation, as wide as it is frequent, red where it was dropped."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from((flow.source, flow.target) for flow in flows)
    places = {name: (float(at[0]), float(at[1])) for name, at in nx.circular_layout(graph).items()}
    lines = [
        {"x": places[flow.source][0], "y": places[flow.source][1], "x2": places[flow.target][0]}
        | {"y2": places[flow.target][1], "width": 1 + math.log10(flow.count), "dropped": flow.verdict == "DROPPED"}
        for flow in flows
    ]
    dots = [{"name": name, "x": x, "y": y} for name, (x, y) in places.items()]
    x, y = (alt.X("x:Q", axis=None, scale=alt.Scale(padding=90)), alt.Y("y:Q", axis=None, scale=alt.Scale(padding=25)))
    edges = (
        alt.Chart(alt.Data(values=lines))
        .mark_rule(opacity=0.8)
        .encode(
            x=x,
            y=y,
            x2="x2:Q",
            y2="y2:Q",
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
            color=alt.condition("datum.dropped", alt.value(BAD), alt.value(MUTED)),
        )
    )
    base = alt.Chart(alt.Data(values=dots)).encode(x=x, y=y)
    points = base.mark_point(filled=True, size=140, color=CILIUM, opacity=1)
    names = base.mark_text(dy=-14, color=INK).encode(text="name:N")
    return _svg((edges + points + names).properties(width=WIDTH, height=420))


# Room on both sides: the page's font may be wider than the one that the drawing was measured with.
_LOOK: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "padding": {"left": 40, "right": 40, "top": 5, "bottom": 5},
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": LINE,
        "domainColor": MUTED,
        "tickColor": MUTED,
    },
    "legend": {"labelColor": INK, "titleColor": INK, "orient": "top"},
}


def _svg(chart: alt.LayerChart | alt.FacetChart) -> str:
    return vl_convert.vegalite_to_svg({**chart.to_dict(), "config": _LOOK})
