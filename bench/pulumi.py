"""The Pulumi CLI, as the benchmark types it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from steps.doors.process import run

ROOT = Path(__file__).parents[1]
# Seconds. `up` from nothing takes a minute and a half on two cores.
PATIENCE = 1200.0


def pulumi(*words: str, env: Mapping[str, str] | None = None) -> str:
    """stdout of `pulumi WORDS` for this program; raises ToolError with what it said where it fails."""
    command = ["pulumi", *words, "--cwd", str(ROOT), "--non-interactive", "--color", "never"]
    return run(command, env=env, timeout=PATIENCE)
