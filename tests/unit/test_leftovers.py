"""What a step that ends before its time leaves behind, and how a holder is told from another of the same name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from steps import creation, holder
from steps.doors.private import private_kubeconfig

ROOT = Path(__file__).parents[2]
# A verb that has its kubeconfig, says so, and waits for a tool.
PROGRAM = """\
import sys
from dataclasses import dataclass
from steps.doors.private import private_kubeconfig
from steps.doors.process import run
from steps.running import main

@dataclass(frozen=True, kw_only=True)
class Needs:
    pass

def verb(_: Needs) -> None:
    with private_kubeconfig() as path:
        path.write_text("admin")
        print(path, file=sys.stderr, flush=True)
        run(["sh", "-c", "echo started >&2; exec sleep 60"], show=True)

main(Needs, verb)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    monkeypatch.setattr(tempfile, "tempdir", None)


def step(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A step that runs, and its kubeconfig."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    path = Path(process.stderr.readline().strip())
    assert process.stderr.readline() == "started\n"
    return process, path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_step_that_is_told_to_end_leaves_no_admin_kubeconfig(folder: Path, number: signal.Signals) -> None:
    process, path = step(folder)
    assert path.read_text() == "admin"
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert list(folder.iterdir()) == [], "an admin's kubeconfig stays in /tmp after Ctrl-C"


def test_what_a_killed_step_left_goes_with_the_next_one_and_a_running_ones_stays(folder: Path) -> None:
    killed, left = step(folder)
    killed.kill()
    killed.communicate(timeout=20)
    assert left.exists()
    running, used = step(folder)
    try:
        foreign = folder / "cni-migration-of-somebody"
        foreign.mkdir()
        with private_kubeconfig() as mine:
            assert not left.parent.exists(), "an admin's kubeconfig stays in /tmp for ever"
            assert used.exists(), "the step that runs would lose its kubeconfig"
            assert foreign.exists() and mine.parent.exists()
    finally:
        running.terminate()
        running.communicate(timeout=20)


def test_a_folder_of_another_container_is_left_to_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder / "cni-migration-0123456789ab_4194305_x_y"
    other.mkdir()
    with private_kubeconfig():
        assert other.exists(), "its process is not seen from here, and may run"


def test_a_holder_names_where_its_process_number_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    named = holder.holder(os.getpid())
    assert len(named.split()) == 4 and holder.alive(named) and holder.seen_from_here(named)
    assert holder.alive(" ".join(named.split()[:3])), "an up of an earlier version that runs would be taken for dead"
    monkeypatch.setattr(holder, "scope", lambda: "elsewhere")
    assert not holder.seen_from_here(named), "an up in another container of that name would be taken for dead"
    assert not holder.alive(named)


@pytest.mark.parametrize(("silent", "expected"), [(1, True), (120, False)])
def test_a_creation_in_another_container_runs_while_its_note_beats(silent: int, expected: bool) -> None:
    named = f"{holder.host()} 1 x another-scope"
    beat = datetime.now(UTC) - timedelta(seconds=silent)
    note = creation.Note(holder=named, begun=beat, beat=beat, made=False)
    assert creation.under_way(note) is expected, "two creations of one cluster would meet, or none would ever go on"
