"""A program with two stacks and a stand-in cluster, for tests of what the engine does with them."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.fake_tools import install
from engine.pulumi_cli import Stack, copy_program

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGES = ("components", "pipeline", "plan", "settings", "steps")
# The steps that need a real network, and the two that stand for a CNI. They are recorded with dashes.
RECORDED = (
    "preflight",
    "takeover",
    "node_clean",
    "pods_evict",
    "pods_keep",
    "pods_replace",
    "direct_routes",
    "node_move",
    "live_to_cilium",
    "live_to_flannel",
    "rolling_finish",
    "traffic_record",
    "traffic_report",
    "verify",
    "cni_create",
    "cni_delete",
)


@dataclass(frozen=True, kw_only=True)
class World:
    """A program with its stacks `flannel` and `cilium`, and the stand-in cluster they share."""

    fake: Path
    stacks: dict[str, Stack]

    def calls(self) -> list[str]:
        """What was called since the last look."""
        log = self.fake / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return [line.strip() for line in lines]

    def plant(self, fault: str) -> None:
        (self.fake / "fail" / fault).touch()

    def marker(self) -> dict[str, str]:
        return json.loads((self.fake / "marker.json").read_text())["data"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path)


@pytest.fixture(scope="session")
def with_flannel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a world in which stack flannel has the cluster, and both stacks ask while they migrate. It is made
    once for each worker, and thirty tests begin with a copy: each of them would take 8 s of a processor for it."""
    folder = tmp_path_factory.mktemp("with-flannel")
    world = made(folder)
    for stack in world.stacks.values():
        stack.set_config("cni-migration:traffic", '{"enabled": true}')
    world.stacks["flannel"].up()
    world.calls()
    return folder


@pytest.fixture
def flannels(with_flannel: Path, tmp_path: Path) -> World:
    """A world of its own in which stack flannel has the cluster, and both stacks ask while they migrate."""
    shutil.copytree(with_flannel, tmp_path, symlinks=True, dirs_exist_ok=True)
    return opened(tmp_path)


@pytest.fixture
def rolling(flannels: World) -> World:
    """The same, and both stacks roll from now on."""
    for stack in flannels.stacks.values():
        stack.set_config("migration:strategy", "rolling")
    return flannels


def made(tmp_path: Path) -> World:
    """The program, its stacks and the stand-ins, in a folder that is empty."""
    program = copy_program(HERE / "programs" / "migration", tmp_path / "program")
    for package in PACKAGES:
        copy_program(ROOT / package, program / package)
    # The steps run with the project's own interpreter, here the one of the tests.
    (program / ".venv").symlink_to(sys.prefix)
    for verb in RECORDED:
        shutil.copy(program / "recorder.py", program / "steps" / f"{verb}.py")
    for name in ("flannel", "cilium"):
        config = f"config:\n  cni-migration:cni: {name}\n  cni-migration:cluster: {{name: c}}\n"
        # The default goes by what is measured, and here nobody does.
        config += "  migration:strategy: recreate\n"
        # No port: this machine may have a real cluster on it.
        config += "  cni-migration:traffic: {enabled: false}\n  cni-migration:hubble: {port: 0}\n"
        (program / f"Pulumi.{name}.yaml").write_text(config)
    fake = tmp_path / "fake"
    (fake / "fail").mkdir(parents=True)
    install(tmp_path / "bin")
    world = opened(tmp_path)
    for stack in world.stacks.values():
        stack.create()
    return world


def opened(folder: Path) -> World:
    """The world that is in a folder."""
    program, backend, fake = folder / "program", folder / "state", folder / "fake"
    path = Stack(program=program, backend=backend).environ()["PATH"]
    env = {"FAKE": str(fake), "PATH": os.pathsep.join((str(folder / "bin"), path)), "CNI_MIGRATION_SITE": ""}
    stacks = {name: Stack(program=program, backend=backend, name=name, env=env) for name in ("flannel", "cilium")}
    return World(fake=fake, stacks=stacks)
