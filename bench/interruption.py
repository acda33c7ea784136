"""Migrates a cluster there and back, again and again, and prints what each migration cost those who used it.

    uv run python bench/interruption.py rolling 10 >rolling.tsv

needs the kit's tools or your own on PATH, and a cluster that the stack `flannel` owns. Ten rounds are 20 migrations.
One line a migration as soon as it is done; it can be ended at any time. A migration whose `up` fails (a broken budget,
say) is counted like any other, with its reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

HERTZ = 20
COLUMNS = (
    "to",
    "seconds",
    "requests",
    "failures",
    "longest gap s",
    "slowest s",
    "broken",
    "s a node",
    "worst step",
    "why",
)


def run(*command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=env, check=False, text=True, capture_output=True)


def site(folder: Path, strategy: str) -> Path:
    """This machine's site file with the strategy and the rate of the probers laid on top."""
    named = os.environ.get("CNI_MIGRATION_SITE")
    tree: dict[str, Any] = yaml.safe_load(Path(named).read_text()) if named else {}
    tree |= {"migration": {"strategy": strategy}, "traffic": {"hertz": HERTZ}}
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def first_error(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).splitlines()
    return next((line for line in lines if "error:" in line), f"exit {done.returncode}")


def row(stack: str, seconds: float, report: dict[str, Any], failed: str) -> list[str]:
    if not report.get("measured"):
        return [stack, f"{seconds:.0f}", *["-"] * 7, failed or report.get("why", "")]
    steps = report["steps"]
    moves = [step["seconds"] for step in steps if step["step"].startswith("move ")]
    gaps = {
        step["step"]: max(kind["longestGapSeconds"] for kind in step["kinds"].values())
        for step in steps
        if step["kinds"]
    }
    return [
        stack,
        f"{seconds:.0f}",
        str(report["requests"]),
        str(report["failures"]),
        f"{report['longestGapSeconds']:.2f}",
        f"{report['slowestSeconds']:.2f}",
        str(report["connectionsBroken"]),
        "/".join(f"{second:.0f}" for second in moves),
        max(gaps, key=lambda name: gaps[name], default="-"),
        failed and (report["why"] or failed),
    ]


def main() -> None:
    strategy, rounds = sys.argv[1], int(sys.argv[2])
    print(*COLUMNS, sep="\t", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "CNI_MIGRATION_SITE": str(site(Path(folder), strategy))}
        for _ in range(rounds):
            for stack in ("cilium", "flannel"):
                begun = time.monotonic()
                done = run("pulumi", "up", "--stack", stack, "--yes", "--skip-preview", "--color", "never", env=env)
                seconds = time.monotonic() - begun
                failed = first_error(done) if done.returncode else ""
                if failed:
                    # The report is in the outputs once an `up` ends well, which the next one does.
                    run("pulumi", "up", "--stack", stack, "--yes", "--skip-preview", "--color", "never", env=env)
                said = run("pulumi", "stack", "output", "interruption", "--stack", stack, "--json", env=env)
                report: dict[str, Any] = json.loads(said.stdout) if said.returncode == 0 else {}
                print(*row(stack, seconds, report, failed.strip()), sep="\t", flush=True)


if __name__ == "__main__":
    main()
