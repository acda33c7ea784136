"""Ends the recording of a migration and prints what it interrupted as one JSON object. Fails with one sentence where
the strategy enforces its budget and that is more, or nobody knows; only once: the report is kept, and printed as it was
later."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from steps import outside
from steps.doors.kubectl import cluster
from steps.findings.coverage import coverage
from steps.findings.interruption import report_of
from steps.findings.lives import compared, read
from steps.findings.report import Report
from steps.pods import lives
from steps.recordings import inside, name_of, on_all
from steps.running import StepError, main, say

# Seconds within which a prober has to be done: a held connection is given up after 10.
_PATIENCE = 20
_IDLE = "nothing was recorded: no migration was under way"
_NOTHING = "nothing was recorded when the migration began"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`due` is whether a migration was to begin or to go on. `strategy` labels the report, `enforces_budget` and
    `keeps_pods` (with it no held connection may break) are facts of it; the budget is `max_failures` new connections
    and a gap of `max_gap_ms`. `nodes` are all, `control_plane` the one that keeps steps and report. `outside`: somebody
    outside of the cluster was to be asked, too."""

    cluster: str
    generation: str
    epoch: str
    leg: int
    due: bool
    nodes: tuple[str, ...]
    control_plane: str
    strategy: str
    enforces_budget: bool
    keeps_pods: bool
    max_failures: int
    max_gap_ms: int
    outside: bool


def verb(needs: Needs) -> str:
    """The report. Where it is beyond a budget that is enforced, it is on stdout when StepError is raised."""
    state = _inside(needs, "state").strip()
    if state == "reported":
        say(f"the interruption of this migration (epoch {needs.epoch}) was reported by an earlier up")
        outside.away(needs.cluster)
        return _inside(needs, "report")
    if state == "none" and not needs.due:
        return _line(_unmeasured(needs, _IDLE))
    if state == "none":
        report = _unmeasured(needs, _NOTHING)
    elif state == "unmeasured":
        report = _unmeasured(needs, f"nothing was recorded: {_inside(needs, 'why').strip()}")
    else:
        report = _recorded(needs)
    text = _line(report)
    _inside(needs, "keep", stdin=text)
    # Not before: a report that was cut off is made again from its record.
    outside.away(needs.cluster)
    if needs.enforces_budget and not (report.measured and report.within_budget):
        sys.stdout.write(text)
        sys.stdout.flush()
        raise StepError(_failure(report))
    return text


def _failure(report: Report) -> str:
    if report.measured or report.within_budget is False:
        return f"the migration is done, but it interrupted more than migration.budget allows: {report.why}"
    return (
        "the migration is done, but what it interrupted was not measured, and its strategy goes by that: "
        f"{report.why}. The next up ends well"
    )


def _recorded(needs: Needs) -> Report:
    _inside(needs, "end")
    _on_all(needs, "stop")
    _await_done(needs)
    steps = _inside(needs, "steps").splitlines()
    logs = {node: list(_of_probers(text.splitlines())) for node, text in _on_all(needs, "lines").items()}
    return report_of(
        chain(steps, *logs.values()),
        pods=_pods(needs),
        outside=outside.seen(
            needs.cluster,
            _name(needs),
            steps=steps,
            inside=chain(*logs.values()),
            wanted=needs.outside,
            max_gap_ms=needs.max_gap_ms,
        ),
        strategy=needs.strategy,
        max_failures=needs.max_failures,
        max_gap_ms=needs.max_gap_ms,
        keeps_pods=needs.keeps_pods,
        covered=coverage(logs, steps=steps, max_gap_ms=needs.max_gap_ms),
    )


def _pods(needs: Needs) -> dict[str, Any]:
    """What became of those that ran when it began; `why` alone where that cannot be said, which bars no report."""
    try:
        noted = _inside(needs, "pods")
        if not noted.strip():
            return {}
        with cluster(needs.cluster) as kubectl:
            return compared(read(noted), lives(kubectl))
    except StepError as error:
        return {"why": " ".join(str(error).split())}


def _of_probers(lines: Iterable[str]) -> Iterable[str]:
    """Pods write there: the steps are root's to say."""
    return (line for line in lines if " step " not in line)


def _await_done(needs: Needs) -> None:
    """What was asked before the end is still being answered, or fails only now. Who has gone is not waited for longer:
    the coverage names him."""
    deadline = time.monotonic() + _PATIENCE
    waiting = needs.nodes
    while waiting := tuple(node for node, names in _on_all(needs, "undone", waiting).items() if names.strip()):
        if time.monotonic() >= deadline:
            say(f"probers on {', '.join(waiting)} are not done {_PATIENCE} s after the recording's end")
            return
        time.sleep(0.3)  # between two looks, not in place of a condition


def _unmeasured(needs: Needs, why: str) -> Report:
    return Report(measured=False, strategy=needs.strategy, within_budget=None, why=why)


def _on_all(needs: Needs, step: str, nodes: tuple[str, ...] | None = None) -> dict[str, str]:
    return on_all(nodes or needs.nodes, step, recording=_name(needs))


def _inside(needs: Needs, step: str, stdin: str = "") -> str:
    return inside(needs.control_plane, step, recording=_name(needs), stdin=stdin)


def _name(needs: Needs) -> str:
    return name_of(needs.generation, needs.epoch, needs.leg)


def _line(report: Report) -> str:
    return json.dumps(report.as_json(), separators=(",", ":"), ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main(Needs, verb)
