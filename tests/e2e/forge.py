"""A forge on this machine: a bare repository, a developer's clone of it, and the stages as its workflows call them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.real import PROGRAM, ROOT, Real, run

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
        self.real.connect()
        return self.real.marker()


@pytest.fixture(scope="session")
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
    for name, stack in real.stacks.items():
        shutil.copy(stack.program / f"Pulumi.{name}.yaml", made.clone)
    (made.clone / "pipeline" / "stack.txt").write_text("flannel\n")
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(made.home / "origin.git"))
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", str(made.home / "origin.git"))
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message=The cluster is stack flannel's")
    made.git("push", "--quiet", "origin", "main")
    made.well(made.checkout("main"), "apply", "flannel")
    return made
