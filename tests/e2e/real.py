"""The one real cluster that the end-to-end tests share, of its own name, so that nobody's cluster is in the way."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from engine.pulumi_cli import Stack

ROOT = Path(__file__).parents[2]
NAME = "cni-e2e"
# Not the default: the user's own cluster may have that one.
HUBBLE_PORT = 12431
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

    def connect(self) -> None:
        """From here on kubectl asks the cluster as it is now."""
        self.kubeconfig.write_text(run("kind", "get", "kubeconfig", "--name", NAME))

    def marker(self) -> dict[str, str]:
        """Who has the cluster, and how far."""
        where = ("configmap", "cni-migration", "-n", "kube-system", "-o", "jsonpath={.data}")
        return json.loads(self.kubectl("get", *where))

    def nodes(self) -> list[str]:
        return sorted(run("kind", "get", "nodes", "--name", NAME).split())

    def on_node(self, node: str, script: str, stdin: str = "") -> str:
        return run("docker", "exec", "--interactive", node, "bash", "-euo", "pipefail", "-c", script, stdin=stdin)


def run(*command: str, stdin: str = "") -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def beside(cluster: str) -> list[str]:
    """The containers that ask a cluster from outside of it, also those that have ended."""
    return run("docker", "ps", "--all", "--quiet", "--filter", f"label=cni-migration.outside={cluster}").split()


def with_cilium(real: Real) -> bool:
    """Stack cilium has the cluster: as the last test has left it, or made and migrated, which it says."""
    if has_cilium(real):
        return False
    real.stacks["flannel"].up()
    real.stacks["cilium"].up()
    real.connect()
    return True


def has_cilium(real: Real) -> bool:
    """Whether stack cilium has the cluster, verified. Beside the other tests it has."""
    if NAME not in run("kind", "get", "clusters").split():
        return False
    real.connect()
    whose = "jsonpath={.data.stack} {.data.phase}"
    marker = real.kubectl("get", "configmap", "-n", "kube-system", "cni-migration", "--ignore-not-found", "-o", whose)
    return marker == "cilium ready"
