"""A commit's whole way on a real cluster: a branch and its comment, the merge and the apply, a drift that is found, and
the rollback. The repository is a bare one on this machine; the stages are the scripts that the workflows call.

It needs no cluster and leaves none, so that it can stand before or behind the others.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from e2e.conftest import HUBBLE_PORT, NAME, PROGRAM, ROOT, Real, run

pytestmark = pytest.mark.e2e
CARRIED = (*PROGRAM, "policy", "docs", ".gitignore")


@dataclass(frozen=True, kw_only=True)
class Forge:
    """The bare repository, the developer's clone of it, and what the pipeline's machine keeps."""

    home: Path
    real: Real

    @property
    def clone(self) -> Path:
        return self.home / "clone"

    def git(self, *args: str) -> str:
        return run("git", "-C", str(self.clone), "-c", "user.name=e2e", "-c", "user.email=e2e@example.org", *args)

    def checkout(self, branch: str) -> Path:
        """A fresh clone, as the pipeline makes one for each run."""
        folder = self.home / f"run-{len(list(self.home.glob('run-*')))}"
        run("git", "clone", "--quiet", "--branch", branch, str(self.home / "origin.git"), str(folder))
        # What «uv sync» and «uv sync --project policy» make.
        for room in ("", "policy"):
            (folder / room / ".venv").symlink_to(ROOT / room / ".venv")
        return folder

    def stage(self, folder: Path, name: str, *args: str) -> subprocess.CompletedProcess[str]:
        env = {**self.real.stacks["cilium"].environ(), "PIPELINE_COPIES": str(self.home / "copies")}
        command = ["bash", str(folder / "pipeline" / f"{name}.sh"), *args]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=600)

    def well(self, folder: Path, name: str, *args: str) -> str:
        done = self.stage(folder, name, *args)
        assert done.returncode == 0, f"{name} {args}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def marker(self) -> dict[str, str]:
        self.real.kubeconfig.write_text(run("kind", "get", "kubeconfig", "--name", NAME))
        where = ("configmap", "cni-migration", "-n", "kube-system", "-o", "jsonpath={.data}")
        return json.loads(self.real.kubectl("get", *where))


@pytest.fixture(scope="module")
def forge(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """Main says that it is stack flannel's turn, and it has been applied."""
    made = Forge(home=tmp_path_factory.mktemp("forge"), real=real)
    made.clone.mkdir()
    for name in CARRIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, made.clone / name, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
        else:
            shutil.copy(source, made.clone)
    for stack in ("flannel", "cilium"):
        config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
        config["config"]["cni-migration:cluster"] = {"name": NAME}
        config["config"]["cni-migration:hubble"] = {"port": HUBBLE_PORT}
        # The shortest, and what a reviewer has to read of most.
        config["config"]["migration:strategy"] = "recreate"
        (made.clone / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(config))
    (made.clone / "pipeline" / "stack.txt").write_text("flannel\n")
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(made.home / "origin.git"))
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", str(made.home / "origin.git"))
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message=The cluster is stack flannel's")
    made.git("push", "--quiet", "origin", "main")
    made.well(made.checkout("main"), "apply", "flannel")
    return made


def test_a_branch_says_in_its_comment_what_it_will_do_and_does_nothing(forge: Forge) -> None:
    before = forge.marker()
    forge.git("switch", "--quiet", "--create", "cilium-s-turn")
    (forge.clone / "pipeline" / "stack.txt").write_text("cilium\n")
    forge.git("commit", "--quiet", "--all", "--message=The cluster is stack cilium's")
    forge.git("push", "--quiet", "origin", "cilium-s-turn")
    branch = forge.checkout("cilium-s-turn")
    forge.well(branch, "check")
    out = forge.home / "preview"
    forge.well(branch, "preview", "cilium", "--out", str(out))
    forge.well(branch, "policy", "cilium")
    comment = (out / "cilium.md").read_text()
    assert len(comment.encode()) <= 60_000, "the forge would refuse it"
    assert "<!--" in comment, "each push would add a comment"
    for said in (NAME, "flannel", "cilium", "recreate"):
        assert said in comment, f"the reviewer would not read whose cluster it takes, and how: {said}"
    assert forge.marker() == before, "a pull request has changed the cluster"


def test_the_merge_is_applied_and_verified_with_a_copy_of_the_state_from_before(forge: Forge) -> None:
    forge.git("switch", "--quiet", "main")
    forge.git("merge", "--quiet", "--no-ff", "--message=Merge: cilium's turn", "cilium-s-turn")
    forge.git("push", "--quiet", "origin", "main")
    main = forge.checkout("main")
    stack = (main / "pipeline" / "stack.txt").read_text().strip()
    said = forge.well(main, "apply", stack, "--rollback")
    assert "verify: stack cilium is as it promises" in said, said[-3000:]
    marker = forge.marker()
    assert (marker["stack"], marker["phase"], marker["previous"]) == ("cilium", "ready", "flannel flannel")
    [note] = (forge.home / "copies").glob("cilium-*.before.json")
    assert json.loads(note.read_text())["owner"] == {"stack": "flannel", "cni": "flannel"}
    assert note.with_name(note.name.replace(".before", "")).stat().st_size > 0, "there is no state to go back to"


def test_a_drift_is_found_where_there_was_none(forge: Forge) -> None:
    main = forge.checkout("main")
    forge.well(main, "drift", "cilium")
    forge.real.kubectl("delete", "validatingadmissionpolicybinding", "cni-migration-bolt")
    found = forge.stage(main, "drift", "cilium")
    assert found.returncode == 2, f"exit {found.returncode}: {found.stdout}{found.stderr}"
    assert "cni-migration-bolt" in found.stdout + found.stderr, "nobody would know what to mend"


def test_one_command_brings_back_who_had_the_cluster_and_says_so(forge: Forge) -> None:
    main = forge.checkout("main")
    said = forge.well(main, "rollback")
    assert "stack flannel has the cluster back, with flannel, and has verified it" in said, said[-3000:]
    marker = forge.marker()
    assert (marker["stack"], marker["cni"], marker["phase"]) == ("flannel", "flannel", "ready")
    assert "does not own the cluster" in forge.well(main, "rollback"), "a second one would move it there again"
