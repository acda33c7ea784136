"""Results as Markdown, for docs/measurements.md and the terminal. Pure; measures nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from bench.migrations import BY_HAND, ENOUGH, Way, ways
from bench.order import SIDES
from bench.ratios import Interval
from bench.results import Results, Run
from bench.shapes import VALUES
from bench.summary import Judged, Row, Summary, summary
from bench.verdict import MARGIN, shown

BEGIN = "<!-- benchmark: written from its results by bench.render; an edit here is lost -->"
END = "<!-- /benchmark -->"


def section(results: Results) -> str:
    """The benchmark's section: the verdicts, every metric, and all that is needed to repeat it."""
    if results.migrations:
        return "\n\n".join([_migrations(results), _repeat(results.run)])
    found = summary(results)
    return "\n\n".join(
        [
            _head(results.run, found),
            _table(("the article", "measured, Cilium / Flannel [95 %]", "at all", "by as much", "why"), _claims(found)),
            _table(
                ("metric", "Flannel", "Cilium", "ratio [95 %]", "control [95 %]"),
                map(_metric, sorted(found.rows, key=lambda row: row.metric)),
            ),
            _notes(found),
            _repeat(results.run),
        ]
    )


def _migrations(results: Results) -> str:
    """Each way to migrate. No control: two by hand differ as well, and nobody knows how."""
    head = (
        "migration to Cilium",
        "runs",
        "s",
        "time / by hand [95 %]",
        "is",
        "failed of new connections",
        "longest gap, s",
    )
    table = _table(head, map(_way, ways(results)))
    rounds = len({one.number for one in results.migrations})
    grade = "Indicative only: too few rounds for more. " if rounds < ENOUGH else ""
    return f"{grade}By `bench/compare.py`, the connections from outside to a node port, one every 50 ms.\n\n{table}"


def _way(way: Way) -> Sequence[str]:
    return (
        way.name if way.name == BY_HAND else f"`{way.name}`",
        str(len(way.seconds)),
        _span(way.seconds, 0),
        _bounds(way.ratio) if way.ratio else "-",
        _equal(way.ratio) if way.ratio else "-",
        f"{way.failures:,} of {way.requests:,}",
        _span(way.gaps, 2),
    )


def _span(values: Sequence[float], digits: int) -> str:
    """The median, and from the least to the most."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _equal(ratio: Interval) -> str:
    if ratio.inside(1 / MARGIN, MARGIN):
        return "no slower and no faster"
    if ratio.low > 1:
        return "slower"
    return "faster" if ratio.high < 1 else "not shown to be either"


def placed(page: str, text: str) -> str:
    """`page` with `text` between the two marks. Raises ValueError where the page does not have them once."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError("the page has no place for the benchmark: the two marks, one after the other")
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    return f"{before}\n\n{text}\n\n{after}"


def _head(run: Run, found: Summary) -> str:
    done = max((row.measured.pairs for row in found.rows), default=0)
    grade = "Indicative only: too few pairs for more. " if run.indicative else ""
    return (
        f"{grade}{done} of {run.pairs} pairs (`{run.mode}`), two clusters alive side by side, one loaded at a time. "
        "A figure is the geometric mean of the pair ratios Cilium / Flannel with a paired t-interval on their "
        "logarithms; the control is one cluster against itself."
    )


def _claims(found: Summary) -> Iterable[Sequence[str]]:
    for one in found.judged:
        yield one.claim.words, _measured(one), one.verdict.direction, one.verdict.size or "-", one.verdict.why


def _measured(one: Judged) -> str:
    return f"{_bounds(one.row.measured)} `{one.claim.metric}`" if one.row else f"- `{one.claim.metric}`"


def _metric(row: Row) -> Sequence[str]:
    medians = [f"{row.medians[side]:.4g}" for side in SIDES]
    return (
        f"`{row.metric}`{row.label.removeprefix(row.metric)}",
        *medians,
        _bounds(row.measured),
        _bounds(row.control) if row.control else "-",
    )


def _bounds(interval: Interval) -> str:
    return shown(interval) if interval.pairs > 1 else f"{interval.ratio:.2f} (one pair)"


def _notes(found: Summary) -> str:
    off = found.controls_off()
    said = ", ".join(f"`{metric}`" for metric in off) if off else "none"
    return (
        f"Controls that do not include 1: {said} (of {len(found.rows)}; one in 20 is expected to by chance). "
        f"Pairs measured again for stolen time: {found.again}; kept although the host stole: {found.stolen}. "
        f"Measurements without a sample: {_failed(found)}."
        + (_DAGGER if any(row.insensitive for row in found.rows) else "")
    )


_DAGGER = " †: the same ranks on loopback take more than half of the time, so it says little about a network."


def _failed(found: Summary) -> str:
    return ", ".join(f"`{test}` on {side} {count}" for (test, side), count in sorted(found.failed.items())) or "none"


def _repeat(run: Run) -> str:
    """Nested facts are one row each, named by their path."""
    rows = [("seed", str(run.seed)), ("began", run.began), ("project", run.project)]
    for name in ("machine", "versions", "settings", "clusters"):
        rows += _flat(name, getattr(run, name))
    return _table(("to repeat it", ""), ((f"`{name}`", text) for name, text in rows))


def _flat(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        # The values of a chart are pages long; they are in the results.
        return [row for key, below in value.items() if key != VALUES for row in _flat(f"{name}.{key}", below)]  # pyright: ignore
    return [(name, str(value))]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    # A bar in a cell would begin another one.
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
