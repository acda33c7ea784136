"""A real cluster for the end-to-end tests, of its own name, so that nobody's cluster is in the way.

The state is in a folder of the test's own, the program is the one in this repo. `--keep-failed` leaves the cluster
where a test failed, to look at it; the next run adopts or removes it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, sync_playwright

from engine.pulumi_cli import Stack

ROOT = Path(__file__).parents[2]
NAME = "cni-e2e"
# Not the default: the user's own cluster may have that one.
HUBBLE_PORT = 12431
# Of Debian, of Playwright's own names, of Google.
BROWSERS = ("chromium", "chromium-headless-shell", "google-chrome")
PROGRAM = (
    "__main__.py",
    "Pulumi.yaml",
    "components",
    "pipeline",
    "plan",
    "settings",
    "steps",
    "pyproject.toml",
    "uv.lock",
)


@dataclass(frozen=True, kw_only=True)
class Real:
    """Both stacks on one real cluster, and kubectl and docker for a look at it."""

    stacks: dict[str, Stack]
    kubeconfig: Path

    def kubectl(self, *args: str, stdin: str = "") -> str:
        return run("kubectl", "--kubeconfig", str(self.kubeconfig), *args, stdin=stdin)

    def nodes(self) -> list[str]:
        return sorted(run("kind", "get", "nodes", "--name", NAME).split())

    def on_node(self, node: str, script: str, stdin: str = "") -> str:
        return run("docker", "exec", "--interactive", node, "bash", "-euo", "pipefail", "-c", script, stdin=stdin)


def run(*command: str, stdin: str = "") -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


# It is of a machine without a cluster.
FIRST = "test_a_preview_without_a_cluster_lists_the_plan_and_makes_nothing"
# The last test of the time when the shared cluster has Cilium for the first time.
WITH_CILIUM = "test_dockers_own_dns_chains_survive_the_clean_up"
ONLY_LOOK = ("test_hubble.py", "test_see_it.py", "test_drift.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that only look at Cilium go where the shared cluster has it, and the pipeline's make the cluster that
    the next ones take over: one of their own would cost 90 s."""
    first = [item for item in items if item.name == FIRST]
    looking = [item for item in items if item.path.name in ONLY_LOOK]
    # Last, since it leaves stacks that are set to a strategy of its own.
    last = [item for item in items if item.path.name == "test_live.py"]
    others = [item for item in items if item not in first and item not in looking and item not in last]
    place = next((number for number, item in enumerate(others, 1) if item.name == WITH_CILIUM), 0)
    items[:] = [*first, *others[:place], *looking, *others[place:], *last]


def has_cilium(real: Real) -> bool:
    """Whether stack cilium has the cluster, verified. Beside the other tests it has."""
    if NAME not in run("kind", "get", "clusters").split():
        return False
    real.kubeconfig.write_text(run("kind", "get", "kubeconfig", "--name", NAME))
    whose = "jsonpath={.data.stack} {.data.phase}"
    marker = real.kubectl("get", "configmap", "-n", "kube-system", "cni-migration", "--ignore-not-found", "-o", whose)
    return marker == "cilium ready"


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
        (program / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(config))
    run("kind", "delete", "cluster", "--name", NAME)
    kubeconfig = home / "kubeconfig"
    stacks = {
        name: Stack(program=program, backend=home / "state", name=name).create() for name in ("flannel", "cilium")
    }
    yield Real(stacks=stacks, kubeconfig=kubeconfig)
    if request.session.testsfailed and request.config.getoption("--keep-failed"):
        return
    run("kind", "delete", "cluster", "--name", NAME)
    assert not (program / ".state" / f"{NAME}.creating").exists(), "a creation was left half done"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found, f"none of {BROWSERS} is on PATH; on Debian: apt-get install chromium-headless-shell"
    with sync_playwright() as playwright:
        # Chromium's sandbox does not start for root.
        sandbox = [] if os.geteuid() else ["--no-sandbox"]
        yield playwright.chromium.launch(executable_path=found, args=sandbox)
