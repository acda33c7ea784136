"""The stages apply, verify and rollback: the real scripts with a stand-in for pulumi and for the cluster."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.fake_tools import IMAGE, NODES, install
from engine.pulumi_cli import copy_program

ROOT = Path(__file__).parents[2]
# What was called goes to `pulumi`; `up` leaves the marker of after-STACK.json, and fails where fail-up-STACK says so.
PULUMI = """#!/usr/bin/env bash
set -euo pipefail
printf '%s\\n' "$*" >>"$FAKE/pulumi"
env | grep -E '^PULUMI_(CONTINUE_ON_ERROR|OPTION_)' >>"$FAKE/leaked" || [ $? -eq 1 ]
case "$1 $2" in
  'stack export') printf '{}' >"${@: -1}" ;;
  'stack output') cat "$FAKE/outputs.json" ;;
  'up --stack')
    if [ -e "$FAKE/after-$3.json" ]; then cp "$FAKE/after-$3.json" "$FAKE/marker.json"; fi
    [ ! -e "$FAKE/fail-up-$3" ] ;;
  'preview --stack') [ ! -e "$FAKE/fail-preview" ] ;;
esac
"""
BASIS = {what: {"asked": 6, "answered": 6} for what in ("pairs", "probes", "agents")}


def marker(stack: str, cni: str, epoch: int, phase: str = "ready", **more: str) -> str:
    data = {"stack": stack, "cni": cni, "generation": "g", "epoch": str(epoch), "phase": phase, "holder": "", **more}
    metadata = {"name": "cni-migration", "resourceVersion": "1"}
    return json.dumps({"kind": "ConfigMap", "metadata": metadata, "data": data})


def outputs(cni: str, epoch: int, **more: Any) -> str:
    verification = {
        "ok": True,
        "encapsulation": "none",
        "icmpWireBytes": 84,
        "routing": "x",
        "cni": cni,
        "basis": BASIS,
    }
    return json.dumps({"cluster": "c", "cni": cni, "epoch": epoch, "verification": verification, **more})


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A clone of the program, with a cluster that flannel owns."""

    folder: Path
    fake: Path

    def run(self, stage: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join((str(self.folder / "bin"), os.environ["PATH"]))
        own = {"PATH": path, "FAKE": str(self.fake), "CNI_MIGRATION_SITE": "", "PIPELINE_COPIES": str(self.copies)}
        return subprocess.run(
            ["bash", str(self.folder / "pipeline" / f"{stage}.sh"), *args],
            env={**os.environ, **own, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def copies(self) -> Path:
        return self.folder / "copies"

    def calls(self) -> list[str]:
        return (self.fake / "pulumi").read_text().splitlines()

    def becomes(self, stack: str, text: str) -> None:
        """What an `up` of the stack makes of the marker."""
        (self.fake / f"after-{stack}.json").write_text(text)

    def measured(self, text: str) -> None:
        (self.fake / "outputs.json").write_text(text)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder, fake = tmp_path / "clone", tmp_path / "fake"
    (fake / "fail").mkdir(parents=True)
    folder.mkdir()
    for room in ("pipeline", "plan", "settings", "steps"):
        # Not as links: a script finds the folder that it is in. Without caches, which other tests write meanwhile.
        copy_program(ROOT / room, folder / room)
    (folder / ".venv").symlink_to(sys.prefix)
    for stack in ("flannel", "cilium"):
        config = {"cni-migration:cni": stack, "cni-migration:cluster": {"name": "c"}}
        (folder / f"Pulumi.{stack}.yaml").write_text(json.dumps({"config": config}))
    install(folder / "bin")
    pulumi = folder / "bin" / "pulumi"
    pulumi.write_text(PULUMI)
    pulumi.chmod(0o755)
    (fake / "nodes").write_text("".join(f"{node}\t{IMAGE}\trunning\tt0\n" for node in NODES))
    (fake / "created").write_text(datetime.now(UTC).isoformat())
    (fake / "marker.json").write_text(marker("flannel", "flannel", 1))
    made = Desk(folder=folder, fake=fake)
    made.becomes("cilium", marker("cilium", "cilium", 2, previous="flannel flannel"))
    made.becomes("flannel", marker("flannel", "flannel", 3, previous="cilium cilium"))
    made.measured(outputs("cilium", 2))
    return made


def test_an_apply_copies_the_state_brings_up_verifies_and_finds_nothing_left(desk: Desk) -> None:
    hostile = {"PULUMI_CONTINUE_ON_ERROR": "true", "PULUMI_OPTION_TARGET": "x", "PULUMI_OPTION_REFRESH": "false"}
    done = desk.run("apply", "cilium", **hostile)
    assert done.returncode == 0, done.stderr
    [copy] = [path for path in desk.copies.glob("*.json") if not path.name.endswith("before.json")]
    assert desk.calls() == [
        "stack select --create cilium",
        f"stack export --stack cilium --file {copy}",
        "up --stack cilium --yes --skip-preview --non-interactive",
        "stack output --stack cilium --json",
        "preview --stack cilium --expect-no-changes --non-interactive",
    ], "a state that is lost could not be put back, or nobody would know whether it is done"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600, "other users of the machine could read the state"
    [note] = desk.copies.glob("cilium-*.before.json")
    assert json.loads(note.read_text())["owner"] == {"stack": "flannel", "cni": "flannel"}
    assert (desk.fake / "leaked").read_text() == "", "an environment would delete the old CNI behind a failed preflight"


def test_an_apply_that_fails_says_so_and_by_itself_brings_nothing_back(desk: Desk) -> None:
    (desk.fake / "fail-up-cilium").touch()
    done = desk.run("apply", "cilium")
    assert done.returncode == 1 and "stack cilium: pulumi up failed. The state from before is in" in done.stderr
    assert not [call for call in desk.calls() if "flannel" in call or call.startswith(("preview", "stack output"))]


def test_with_rollback_a_migration_that_was_cut_off_goes_back_to_who_had_the_cluster(desk: Desk) -> None:
    (desk.fake / "fail-up-cilium").touch()
    desk.becomes("cilium", marker("cilium", "cilium", 2, "migrating", holder="host 1 x", previous="flannel flannel"))
    desk.measured(outputs("flannel", 3))
    done = desk.run("apply", "cilium", "--rollback")
    assert done.returncode == 1, "a commit that was taken back would count as applied"
    assert "up --stack flannel --yes --skip-preview --non-interactive" in desk.calls(), "the cluster is left half moved"
    assert "stack flannel has the cluster back, with flannel, and has verified it" in done.stderr, done.stderr


def test_an_apply_that_never_had_the_cluster_is_followed_by_no_migration(desk: Desk) -> None:
    (desk.fake / "fail-up-cilium").touch()
    (desk.fake / "after-cilium.json").unlink()
    done = desk.run("apply", "cilium", "--rollback")
    assert "stack cilium does not own the cluster: stack flannel has it, with flannel" in done.stderr, done.stderr
    assert not [call for call in desk.calls() if call.startswith("up --stack flannel")], "an outage for nothing"


def test_a_bad_verdict_is_no_apply_and_a_plan_that_is_not_empty_costs_no_second_migration(desk: Desk) -> None:
    desk.measured(outputs("cilium", 1))
    done = desk.run("apply", "cilium", "--rollback")
    assert done.returncode == 1 and "the verification failed" in done.stderr
    assert [call for call in desk.calls() if call.startswith("up --stack flannel")], "users are left on a bad network"
    (desk.fake / "pulumi").unlink()
    (desk.fake / "fail-preview").touch()
    desk.measured(outputs("cilium", 2))
    done = desk.run("apply", "cilium", "--rollback")
    assert done.returncode == 1 and "preview --expect-no-changes failed" in done.stderr
    assert not [call for call in desk.calls() if call.startswith("up --stack flannel")]


def test_a_rollback_inside_one_stack_sets_the_cni_back_and_says_what_is_to_be_committed(desk: Desk) -> None:
    desk.becomes("cilium", marker("cilium", "flannel", 4, previous="cilium cilium"))
    (desk.fake / "marker.json").write_text(marker("cilium", "flannel", 3, previous="cilium cilium"))
    config = {"cni-migration:cni": "flannel", "cni-migration:cluster": {"name": "c"}}
    (desk.folder / "Pulumi.cilium.yaml").write_text(json.dumps({"config": config}))
    done = desk.run("rollback", "cilium")
    assert "config set --stack cilium cni-migration:cni cilium" in desk.calls(), done.stderr
    assert "Pulumi.cilium.yaml asks for flannel and gets cilium; commit that" in done.stderr
    assert done.returncode == 1 and "stack cilium still owns the cluster, with flannel" in done.stderr, (
        "a rollback that came to nothing would count as one"
    )


def test_a_rollback_with_nothing_to_go_by_does_nothing(desk: Desk) -> None:
    done = desk.run("rollback")
    assert done.returncode == 1 and "there is no note of an up" in done.stderr and not (desk.fake / "pulumi").exists()


def test_the_check_needs_no_cluster_and_names_every_mistake(desk: Desk) -> None:
    config = {
        "cni-migration:cni": "calico",
        "cni-migration:cluster": {"name": "c"},
        "migration:strategy": "recreate",
        "migration:pauseAfter": 1,
    }
    (desk.folder / "Pulumi.cilium.yaml").write_text(json.dumps({"config": config}))
    (desk.folder / "pipeline" / "stack.txt").write_text("istio\n")
    done = desk.run("check")
    assert done.returncode == 1
    for said in ("stack cilium: ", "cni: 'calico' is unknown", "migration.pauseAfter: 1", "'istio', which is no stack"):
        assert said in done.stderr, done.stderr
