"""Migrates a cluster there and back, again and again, by each strategy in turn, and prints what each migration cost
those who used it.

    eval "$(python3 airgap/kit env)"
    uv run --group bench python -m bench.interruption 10 live rolling >interruption.tsv

needs a cluster that the stack `flannel` of this folder owns. Ten rounds of a strategy are 20 migrations. One line a
migration as soon as it is done; it can be ended at any time. A migration whose `up` fails (a broken budget, say) is
counted like any other, with its reason. `live` breaks open connections through node ports, which no prober has.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import site
from bench.pulumi import pulumi
from settings.strategy import STRATEGIES
from steps.doors.process import ToolError

HERTZ = 20
# There, and back.
STACKS = ("cilium", "flannel")
COLUMNS = (
    *("strategy", "to", "seconds", "requests", "failures", "longest gap s", "slowest s", "broken", "s a node"),
    *("Pods not kept", "restarted", "worst step", "why"),
)


def main(arguments: Sequence[str]) -> int:
    """0, or 2 where the arguments name no rounds and strategies."""
    if len(arguments) < 2 or not arguments[0].isdecimal() or not set(arguments[1:]) <= STRATEGIES.keys():
        sys.stderr.write(f"python -m bench.interruption ROUNDS STRATEGY...: of {', '.join(STRATEGIES)}\n")
        return 2
    print(*COLUMNS, sep="\t", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for stack in STACKS:
            pulumi("stack", "select", "--create", stack)
        for _ in range(int(arguments[0])):
            for strategy in arguments[1:]:
                told = {"strategy": strategy, "allowBrokenConnections": True}
                env = site.laid(Path(folder), strategy, {"migration": told, "traffic": {"hertz": HERTZ}})
                for stack in STACKS:
                    print(*migrated(strategy, stack, env), sep="\t", flush=True)
    return 0


def migrated(strategy: str, stack: str, env: Mapping[str, str]) -> list[str]:
    """One migration by `pulumi up`, as a row."""
    command = ("up", "--stack", stack, "--yes", "--skip-preview")
    begun, failed = time.monotonic(), ""
    try:
        pulumi(*command, env=env)
    except ToolError as error:
        failed = next((line.strip() for line in str(error).splitlines() if "error:" in line), str(error)[:200])
    seconds = time.monotonic() - begun
    if failed:
        # The report is in the outputs once an `up` ends well, which the next one does where the budget was all.
        try:
            pulumi(*command, env=env)
        except ToolError as error:
            return [strategy, *row(stack, seconds, {}, f"{failed}; and once more: {str(error)[-300:]!r}")]
    report = json.loads(pulumi("stack", "output", "interruption", "--stack", stack, "--json", env=env))
    return [strategy, *row(stack, seconds, report, failed)]


def row(stack: str, seconds: float, report: Mapping[str, Any], failed: str) -> list[str]:
    """The columns behind the strategy's; `failed` is what `up` failed by."""
    if not report.get("measured"):
        return [stack, f"{seconds:.0f}", *["-"] * 9, failed or str(report.get("why", ""))]
    steps = report["steps"]
    moves = [step["seconds"] for step in steps if step["step"].startswith("move ")]
    gaps = {
        step["step"]: max(kind["longestGapSeconds"] for kind in step["kinds"].values())
        for step in steps
        if step["kinds"]
    }
    pods: Mapping[str, Any] = report.get("pods") or {}
    return [
        stack,
        f"{seconds:.0f}",
        str(report["requests"]),
        str(report["failures"]),
        f"{report['longestGapSeconds']:.2f}",
        f"{report['slowestSeconds']:.2f}",
        str(report["connectionsBroken"]),
        "/".join(f"{second:.0f}" for second in moves),
        # By the counts: the names are no more than twenty.
        str(pods["before"] - pods["kept"]) if pods else "-",
        str(len(pods["restarted"])) if "restarted" in pods else "-",
        max(gaps, key=lambda name: gaps[name], default="-"),
        failed and (report["why"] or failed),
    ]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
