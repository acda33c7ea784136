"""Pulumi as the benchmark types it: what interrupts the one interrupts the other, once, and lets it end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.pulumi import ROOT, pulumi
from steps.doors.process import ToolError

# Ends on the first interrupt, after half a second, as a pulumi does that gives its lock back.
PULUMI = """#!/usr/bin/env bash
trap 'echo interrupted >>"$0.log"; sleep 0.5; echo ended >>"$0.log"; exit 1' INT
echo "$*" >"$0.log"
if [[ $1 == up ]]; then for _ in {1..200}; do sleep 0.1; done; fi
echo out; echo wrong >&2
[[ $1 != preview ]]
"""


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "pulumi"
    path.write_text(PULUMI)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return path


def test_an_answer_is_stdout_and_a_failure_says_what_pulumi_said(tool: Path) -> None:
    assert pulumi("stack", "ls") == "out\n"
    assert "--non-interactive" in tool.with_suffix(".log").read_text()
    with pytest.raises(ToolError, match="out\nwrong"):
        pulumi("preview")


def test_an_interrupt_is_passed_on_once_and_pulumi_ends_by_itself(tool: Path) -> None:
    log = tool.with_suffix(".log")
    code = "import bench.pulumi; bench.pulumi.pulumi('up')"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, process_group=0) as process:
        deadline = time.monotonic() + 30
        while not log.exists() or not log.read_text():
            assert time.monotonic() < deadline, "pulumi was not started"
            time.sleep(0.05)  # between two looks
        # As a terminal does it: to the whole group.
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    said = log.read_text().split()
    assert said.count("interrupted") == 1, "a second interrupt makes pulumi drop what it does"
    assert said[-1] == "ended", "pulumi was killed, and its lock would be in the way of the next `up`"
