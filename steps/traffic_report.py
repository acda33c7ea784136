"""Ends the recording of a migration and prints what it interrupted as one JSON object. Fails with one sentence where
the strategy enforces its budget and that is more; only once: the report is kept, and printed as it was later."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from steps.doors.node import on_node
from steps.findings.interruption import report_of
from steps.names import TRAFFIC_FOLDER
from steps.running import StepError, main, say
from steps.side_by_side import each

# Seconds within which what was asked before the end has its answer.
_SILENCE = 10
_NOTHING = {"measured": False, "why": "nothing was recorded: the network was not up when the migration began"}


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`strategy` is a label for the report, `enforces_budget` a fact of it; the budget is `max_failures` new
    connections and a gap of `max_gap_ms`. `nodes` are all, `control_plane` the one that keeps steps and report."""

    epoch: str
    nodes: tuple[str, ...]
    control_plane: str
    strategy: str
    enforces_budget: bool
    max_failures: int
    max_gap_ms: int


def verb(needs: Needs) -> str:
    """The report. Where it is beyond a budget that is enforced, it is on stdout when StepError is raised."""
    state = _inside(needs, needs.control_plane, "state").strip()
    if state == "reported":
        say(f"the interruption of this migration (epoch {needs.epoch}) was reported by an earlier up")
        return _inside(needs, needs.control_plane, "report")
    if state == "none":
        return _line(_NOTHING)
    _inside(needs, needs.control_plane, "end")
    _on_all(needs, "stop")
    _await_silence(needs)
    report = report_of(
        [line for text in _on_all(needs, "lines").values() for line in text.splitlines()],
        strategy=needs.strategy,
        max_failures=needs.max_failures,
        max_gap_ms=needs.max_gap_ms,
    )
    text = _line(report.as_json())
    _inside(needs, needs.control_plane, "keep", stdin=text)
    if needs.enforces_budget and report.measured and not report.within_budget:
        sys.stdout.write(text)
        sys.stdout.flush()
        raise StepError(f"the migration is done, but it interrupted more than migration.budget allows: {report.why}")
    return text


def _await_silence(needs: Needs) -> None:
    """What was asked before the end is still being answered."""
    deadline = time.monotonic() + _SILENCE
    before: dict[str, str] | None = None
    while (now := _sizes(needs)) != before:
        if time.monotonic() >= deadline:
            raise StepError(f"the probers still write {_SILENCE} s after the recording's end")
        before = now
        time.sleep(0.3)  # between two looks, not in place of a condition


def _sizes(needs: Needs) -> dict[str, str]:
    try:
        return _on_all(needs, "sizes")
    except StepError as error:
        raise StepError(f"the recording cannot be read: {error}") from error


def _on_all(needs: Needs, step: str) -> dict[str, str]:
    return each({name: (lambda name=name: _inside(needs, name, step)) for name in needs.nodes}, f"recording {step}")


def _inside(needs: Needs, name: str, step: str, stdin: str = "") -> str:
    env = {"STEP": step, "FOLDER": TRAFFIC_FOLDER, "EPOCH": needs.epoch, "CONTROL_PLANE": needs.control_plane}
    return on_node(name, "recording", env=env, stdin=stdin)


def _line(report: Mapping[str, object]) -> str:
    return json.dumps(report, separators=(",", ":"), ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main(Needs, verb)
