"""The fixtures that the end-to-end tests share, and the order in which they share the cluster.

The state is in a folder of the test's own, the program is the one in this repo. `--keep-failed` leaves the cluster
where a test failed, to look at it; the next run adopts or removes it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, sync_playwright

from e2e.forge import forge
from e2e.measured import measured, program
from e2e.real import HUBBLE_PORT, NAME, PROGRAM, ROOT, Real, beside, run
from engine.pulumi_cli import Stack

__all__ = ["forge", "measured", "program"]
# Seconds for one pulumi command: a migration may take five minutes on two busy cores.
PATIENCE = 900
# Of Debian, of Playwright's own names, of Google.
BROWSERS = ("chromium", "chromium-headless-shell", "google-chrome")
# Each goes on with the cluster as the last has left it, and makes what it lacks where it is run alone. A cluster or a
# migration of its own costs each 90 s to 3 min on two cores.
STORY = (
    # Without a cluster, whose nodes would take half the machine from the benchmark's two.
    "test_no_cluster.py",
    "test_bench.py",
    # With Flannel, and from here on with Cilium, stack cilium's.
    "test_there.py",
    "test_drift.py",
    "test_hubble.py",
    "test_report.py",
    # With Flannel, stack flannel's; to Cilium and back, stack cilium's; the same, stack flannel's.
    "test_back.py",
    "test_live.py",
    "test_rolling.py",
    # To Cilium, and the end of the cluster.
    "test_recreate.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    # A file that the story does not name fails here: it would take the cluster as it happens to be.
    items.sort(key=lambda item: STORY.index(item.path.name) if item.path.parent == here else -1)


def gone() -> None:
    """There is no cluster any more, and nobody who asks it from outside."""
    run("kind", "delete", "cluster", "--name", NAME)
    for container in beside(NAME):
        run("docker", "rm", "--force", container)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Real]:
    home = tmp_path_factory.mktemp("e2e")
    program = home / "program"
    program.mkdir()
    for name in PROGRAM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, program / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, program)
    # The steps run with the project's own interpreter.
    (program / ".venv").symlink_to(ROOT / ".venv")
    for name in ("flannel", "cilium"):
        config = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())
        config["config"]["cni-migration:cluster"] = {"name": NAME}
        config["config"]["cni-migration:hubble"] = {"port": HUBBLE_PORT}
        # The default is what test_live.py is about.
        config["config"]["migration:strategy"] = "recreate"
        # Filters instead of tcx links, as on kernels before 6.6: no pin holds them, so the way back must remove them.
        if name == "cilium":
            config["config"]["cni-migration:cilium"] = {"values": {"bpf": {"enableTCX": False}}}
        (program / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(config))
    gone()
    kubeconfig = home / "kubeconfig"
    stacks = {
        name: Stack(program=program, backend=home / "state", name=name, patience=PATIENCE).create()
        for name in ("flannel", "cilium")
    }
    yield Real(stacks=stacks, kubeconfig=kubeconfig)
    if request.session.testsfailed and request.config.getoption("--keep-failed"):
        return
    gone()
    # Of the program, and of the pipeline's clones.
    left = [
        path for place in ("e2e*/program", "forge*/run-*") for path in home.parent.glob(f"{place}/.state/*.creating")
    ]
    assert not left, f"a creation was left half done: {left}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found, f"none of {BROWSERS} is on PATH; on Debian: apt-get install chromium-headless-shell"
    with sync_playwright() as playwright:
        # Chromium's sandbox does not start for root.
        sandbox = [] if os.geteuid() else ["--no-sandbox"]
        yield playwright.chromium.launch(executable_path=found, args=sandbox)
