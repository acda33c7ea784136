"""Makes the recorded event streams of tests/unit/previews anew, with the real engine and the stand-ins:

    PYTHONPATH=.:tests .venv/bin/python -m engine.record_previews FOLDER

Only what a summary is made of is kept: no `outputs`, no debug lines, no times. The streams' order is the engine's.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from engine.conftest import made
from engine.pulumi_cli import Stack

STATE = ("type", "urn", "custom", "inputs")


def trimmed(event: dict[str, Any]) -> dict[str, Any] | None:
    """The event without what differs from one machine, or one run, to another; None for one that nobody reads."""
    event.pop("timestamp", None)
    if "resourcePreEvent" in event:
        step = event["resourcePreEvent"]["metadata"]
        if step["op"] == "refresh":
            return None
        for side in ("old", "new"):
            step[side] = step[side] and {key: step[side][key] for key in STATE if key in step[side]}
            state: dict[str, Any] = step[side] or {}
            inputs: dict[str, Any] = state.get("inputs") or {}
            # The residue table is the same text in each clean-up.
            if inputs.get("create") in ("steps.node_clean", "steps.node_move"):
                inputs["stdin"] = "the residue table"
                inputs.get("environment", {}).pop("SERVICES_RESIDUE", None)
        return event
    read = ("preludeEvent", "policyEvent", "summaryEvent")
    said = event.get("diagnosticEvent", {}).get("severity", "debug") != "debug"
    return event if said or any(kind in event for kind in read) else None


def record(stack: Stack, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "events.jsonl"
        stack.with_env(PULUMI_DEBUG_COMMANDS="1").preview("--event-log", str(log), check=False)
        events = [trimmed(json.loads(line)) for line in log.read_text().splitlines()]
    target.write_text("".join(f"{json.dumps(event, separators=(',', ':'))}\n" for event in events if event))


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = made(Path(folder))
        flannel, cilium = world.stacks["flannel"], world.stacks["cilium"]
        record(cilium, target / "no-cluster.jsonl")
        flannel.up()
        record(flannel, target / "settled.jsonl")
        record(cilium, target / "other-recreate.jsonl")
        for stack in (flannel, cilium):
            stack.set_config("cni-migration:traffic", '{"enabled": true}')
            stack.set_config("migration:strategy", "rolling")
        record(cilium, target / "other-rolling.jsonl")
        flannel.set_config("migration:strategy", "recreate")
        flannel.set_config("cni-migration:cni", "cilium")
        record(flannel, target / "same-stack-recreate.jsonl")
        cilium.up()
        cilium.set_config("cni-migration:cilium.values.operator.replicas", "2", "--path")
        cilium.set_config("cni-migration:cilium.values.hubble.tls.password", "hunter2-planted", "--path")
        record(cilium, target / "values.jsonl")
        cilium.set_config("cni-migration:cluster.workers", "hunter2-marked", "--path", "--secret")
        record(cilium, target / "wrong-settings.jsonl")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
