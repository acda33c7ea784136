"""Puts a look for drift together: what the observers found, what the engine found, whether the state stayed as it was.
The text goes to stdout, the JSON to a file; ends with 0 for clean, 1 where something was not asked, 2 for drift."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline.drift_engine import engine_findings, state_unchanged
from pipeline.drift_report import Finding, Report, Unasked, findings_from, report_of
from steps.running import main


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The stack; `folder` holds looked.json, refresh.json, before.json and after.json, and beside each NAME.said with
    what its command said and NAME.exit with how it ended. `json` is the file of the report, empty for none."""

    stack: str
    folder: str
    json: str


def drift(needs: Needs) -> Report:
    """The report of it all: a part that failed is not asked, and hides nothing of the others."""
    stack, folder = needs.stack.rpartition("/")[2], Path(needs.folder)
    findings: list[Finding] = []
    unasked: list[Unasked] = []
    cluster = ""
    if said := _answer(folder, "looked", "the observers", unasked):
        looked = json.loads(said)
        cluster = str(looked["cluster"])
        found, open_questions = findings_from(looked)
        findings, unasked = [*findings, *found], [*unasked, *open_questions]
    if said := _answer(folder, "refresh", "the engine's refresh", unasked):
        try:
            found, open_questions = engine_findings(stack, said)
        except ValueError as error:
            found, open_questions = [], [Unasked(what="the engine's refresh", why=str(error))]
        if unasked and any(it.says.startswith("it is in the stack's state") for it in found):
            # The provider takes an API that does not answer for one that has nothing (delete_unreachable).
            found = []
            open_questions.append(
                Unasked(what="the engine's refresh", why="it finds nothing, while others got no answer")
            )
        findings, unasked = [*findings, *found], [*unasked, *open_questions]
    before = _answer(folder, "before", "the state before", unasked)
    after = _answer(folder, "after", "the state after", unasked)
    if before and after:
        unasked += state_unchanged(before, after)
    return report_of(stack, cluster, findings, unasked)


# As timeout tells it. What is killed leaves its lock.
_ENDS = {
    "124": "it gave no answer in time",
    "137": "it gave no answer in time and was killed; where the stack is locked now, `pulumi cancel`",
}


def _answer(folder: Path, name: str, what: str, unasked: list[Unasked]) -> str:
    """What a command printed, empty where it failed, which is then among `unasked`."""
    code = (folder / f"{name}.exit").read_text().strip()
    if code == "0":
        return (folder / f"{name}.json").read_text()
    said = " ".join((folder / f"{name}.said").read_text().split())[-1000:]
    slow = _ENDS.get(code, f"it ended with {code}")
    unasked.append(Unasked(what=what, why=f"{slow}: {said or 'it said nothing'}"))
    return ""


def told(needs: Needs) -> str:
    """Writes the JSON, prints the text and leaves with the exit code."""
    report = drift(needs)
    if needs.json:
        Path(needs.json).write_text(json.dumps(report.as_json(), indent=2) + "\n")
    sys.stdout.write(report.text())
    sys.stdout.flush()
    raise SystemExit(report.exit_code)


if __name__ == "__main__":
    main(Needs, told)
