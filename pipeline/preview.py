"""`look` before the engine is asked, `write` after it: what pipeline/preview.sh cannot do by typing commands.

    python -m pipeline.preview look --work FOLDER
    python -m pipeline.preview write STACK --work FOLDER --out FOLDER

FOLDER of --work holds `config.json` (`pulumi config --json`), `world.json`, `events.jsonl` (the engine's event log) and
`said` (what pulumi printed), each as far as it has come.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from pipeline.events import Planned, Said, planned
from pipeline.markdown import document
from pipeline.questions import ask
from pipeline.redaction import Redactor
from pipeline.takeover import sentences
from pipeline.world import World, look
from steps.doors.patience import give_up_after

# Seconds for all questions of a part together. With the rest of the script, a silent API ends within 15 s.
_LOOK, _ASK = 8, 60
_MEASUREMENTS = Path(__file__).parents[1] / "docs" / "measurements.md"
_LAST = 40  # lines of what pulumi printed, where the engine has no word on why it failed


def main() -> int:
    """The exit code: of `look`, 3 where the cluster does not answer, so that the engine need not be asked."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.preview")
    parts = parser.add_subparsers(dest="part", required=True)
    looks, writes = parts.add_parser("look"), parts.add_parser("write")
    writes.add_argument("stack")
    for part in (looks, writes):
        part.add_argument("--work", type=Path, required=True)
    writes.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    return _look(args.work) if args.part == "look" else _write(args.stack, args.work, args.out)


def _look(work: Path) -> int:
    give_up_after(_LOOK)
    world = look(json.loads((work / "config.json").read_text()))
    (work / "world.json").write_text(json.dumps(asdict(world)))
    if world.state == "silent":
        sys.stderr.write(f"{world.said}\n")
        return 3
    return 0


def _write(stack: str, work: Path, out: Path) -> int:
    give_up_after(_ASK)
    world = _world(work)
    plan = Planned() if world.state == "silent" else _plan(work)
    answers = ask(plan, world)
    clean = Redactor(plan.secrets).clean
    first = sentences(stack, plan, world, _MEASUREMENTS.read_text(), answers.lost)
    out.mkdir(parents=True, exist_ok=True)
    for name, whole in ((f"{stack}.md", False), (f"{stack}.full.md", True)):
        (out / name).write_text(document(stack, first, plan, answers, clean, whole=whole))
        sys.stderr.write(f"wrote {out / name}\n")
    return 0


def _world(work: Path) -> World:
    found = work / "world.json"
    if found.exists():
        return World.from_json(found.read_text())
    return World(cluster="", state="unknown", said="the stack could not be read", marker={})


def _plan(work: Path) -> Planned:
    events, said = work / "events.jsonl", work / "said"
    plan = planned(events.read_text(errors="replace").splitlines()) if events.exists() else Planned()
    if plan.ended != "succeeded" and not any(entry.severity == "error" for entry in plan.said):
        last = said.read_text(errors="replace").splitlines()[-_LAST:] if said.exists() else []
        why = " ".join(last).strip() or "pulumi ended without a word"
        plan.said.append(Said(severity="error", about="", text=why))
    return plan


if __name__ == "__main__":
    raise SystemExit(main())
