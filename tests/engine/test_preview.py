"""pipeline/preview.sh with the real engine: no cluster, owned by the other, settled, and an API that hangs."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from engine.conftest import ROOT, World

# Seconds within which a preview of a cluster that does not answer has to end, on a busy machine too; the stand-in hangs
# for ten minutes.
SILENT = 60


def preview(world: World, stack: str, out: Path) -> tuple[int, str]:
    """The script's exit code, and the comment."""
    made = world.stacks[stack]
    (made.program / "docs").mkdir(exist_ok=True)
    shutil.copy(ROOT / "docs" / "measurements.md", made.program / "docs")
    command = ["bash", str(made.program / "pipeline" / "preview.sh"), stack, "--out", str(out)]
    done = subprocess.run(command, env=made.environ(), text=True, capture_output=True, check=False, timeout=120)
    assert (out / f"{stack}.md").exists(), f"there is nothing to comment:\n{done.stderr}"
    assert (out / f"{stack}.full.md").exists(), "the whole would be lost where the comment is cut"
    return done.returncode, (out / f"{stack}.md").read_text()


def test_without_a_cluster_with_the_others_and_with_ones_own(world: World, tmp_path: Path) -> None:
    code, text = preview(world, "cilium", tmp_path / "out")
    assert code == 0 and "There is no cluster `c`; this makes it" in text and "steps.cluster_up" in text
    assert world.calls() == [] and not (world.fake / "nodes").exists(), "a preview made a cluster"

    world.stacks["flannel"].up()
    marker, state = world.marker(), world.stacks["flannel"].export()
    world.calls()
    code, text = preview(world, "flannel", tmp_path / "out")
    assert code == 0 and "**Nothing changes:** cluster `c` is owned by stack flannel" in text, text

    lists = world.fake / "lists"
    lists.mkdir()
    application: dict[str, Any] = {
        "metadata": {"name": "net", "namespace": "argocd"},
        "spec": {"syncPolicy": {"automated": {}}},
        "status": {"resources": [{"kind": "DaemonSet", "namespace": "kube-flannel", "name": "kube-flannel-ds"}]},
    }
    kind = {"group": "argoproj.io", "names": {"kind": "Application"}, "versions": [{"name": "v1", "served": True}]}
    crd = {"metadata": {"name": "applications.argoproj.io"}, "spec": kind}
    (lists / "customresourcedefinitions.json").write_text(json.dumps([crd]))
    (lists / "applications.argoproj.io.json").write_text(json.dumps([application]))
    code, text = preview(world, "cilium", tmp_path / "out")
    assert code == 0 and "this hands it to stack cilium with cilium by recreate: 3 nodes" in text, text
    assert "Argo CD's Application argocd/net" in text, "what is removed would be put back by somebody unseen"
    assert world.calls() == [] and world.marker() == marker, "a preview touched the cluster"
    assert world.stacks["flannel"].export() == state, "a preview touched the state"


@pytest.mark.parametrize("tool", ["docker", "kubectl"])
def test_with_an_api_that_hangs_it_ends_with_an_error_in_time_and_says_what_was_not_asked(
    world: World, tmp_path: Path, tool: str
) -> None:
    world.fake.joinpath("hang").mkdir()
    world.fake.joinpath("nodes").write_text(
        "c-control-plane\tcontrol-plane\tkindest/node:v1.34.11\trunning\tt0\nc-worker\tworker\tx\trunning\tt0\n"
    )
    world.fake.joinpath("created").write_text("2026-01-01T00:00:00+00:00")
    world.fake.joinpath("hang", tool).touch()
    begun = time.monotonic()
    code, text = preview(world, "cilium", tmp_path / "out")
    took = time.monotonic() - begun
    assert code != 0, "a reviewer would take it for a preview"
    assert took <= SILENT, f"{took:.0f} s of a reviewer's time for nothing"
    assert "**No preview:** cluster `c` does not answer" in text and "**Not asked:**" in text, text
    assert "gave no answer within" in text


def test_a_preview_that_fails_says_why_without_the_secret_and_is_no_success(world: World, tmp_path: Path) -> None:
    world.stacks["cilium"].set_config("cni-migration:cluster.workers", "hunter2-marked", "--path", "--secret")
    world.stacks["cilium"].set_config("cni-migration:images.probe", "", "--path")
    code, text = preview(world, "cilium", tmp_path / "out")
    assert code != 0 and "**The preview of stack cilium failed.**" in text
    assert "cluster.workers" in text and "images.probe" in text, "the reason is lost"
    assert "hunter2" not in text + (tmp_path / "out" / "cilium.full.md").read_text(), "everybody reads a comment"
