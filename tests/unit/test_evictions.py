"""How a node is emptied: every eviction asks the budgets, again and again, and nothing is deleted."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "components" / "scripts"
# Pods are lines in a file. An eviction of what the file `refused` names is refused, and each one counts there.
KUBECTL = """#!/usr/bin/env bash
set -euo pipefail
cd "$WORLD"
case $1 in
  get) cat pods ;;
  create)
    pod=${3%/eviction} pod=${pod##*/}
    echo "$pod" >>asked
    cat >>bodies
    if grep --quiet "^$pod$" refused; then
      sed -i "0,/^$pod\\$/{/^$pod\\$/d}" refused
      echo "Error from server (TooManyRequests): Cannot evict pod" >&2
      exit 1
    fi
    sed -i "/ $pod /d" pods ;;
  *) echo "unexpected: $*" >&2; exit 64 ;;
esac
"""


@dataclass(frozen=True, kw_only=True)
class World:
    folder: Path

    def evict(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = '. "$SCRIPTS/common.sh"; . "$SCRIPTS/nodes.sh"; evict_pods_of_node "$@"'
        path = os.pathsep.join((str(self.folder / "bin"), os.environ["PATH"]))
        env = {**os.environ, "PATH": path, "WORLD": str(self.folder), "SCRIPTS": str(SCRIPTS), "NODE": "n"}
        command = ["bash", "-euo", "pipefail", "-c", program, "evict", *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=30)

    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().split()


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "bin").mkdir()
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    (tmp_path / "pods").write_text("a web u1 True ReplicaSet\na db u2 True StatefulSet\na agent u3 True DaemonSet\n")
    (tmp_path / "refused").write_text("")
    (tmp_path / "asked").write_text("")
    return World(folder=tmp_path)


def test_pods_of_the_kind_that_stays_are_not_evicted(world: World) -> None:
    done = world.evict("5", "DaemonSet")
    assert done.returncode == 0, done.stderr
    assert sorted(world.asked()) == ["db", "web"], "a DaemonSet would make its Pod anew on the same node, for ever"
    assert '"uid": "u1"' in (world.folder / "bodies").read_text(), "a new Pod of the same name would be evicted"


def test_a_budget_that_refuses_is_asked_again_until_it_permits(world: World) -> None:
    (world.folder / "refused").write_text("db\n")
    begun = time.monotonic()
    assert world.evict("10", "DaemonSet").returncode == 0
    assert world.asked().count("db") == 2 and world.asked().count("web") == 1
    assert time.monotonic() - begun < 4, "each refusal would make a node's move longer by five seconds"


def test_a_budget_that_never_permits_is_a_failure_that_names_the_pod_and_the_answer(world: World) -> None:
    (world.folder / "refused").write_text("db\n" * 20)
    failed = world.evict("1")
    assert failed.returncode != 0, "a node would be taken from under a Pod that its budget protects"
    assert "a/db" in failed.stderr and "TooManyRequests" in failed.stderr, failed.stderr
    assert "web" not in failed.stderr, "what has gone would be blamed"


def test_a_cluster_that_does_not_answer_is_no_empty_node(world: World) -> None:
    (world.folder / "pods").unlink()
    assert world.evict("1").returncode != 0, "a node would move with all its Pods on it"


def test_a_pod_that_comes_meanwhile_is_not_waited_for(world: World) -> None:
    kubectl = world.folder / "bin" / "kubectl"
    reborn = 'sed -i "/ $pod /d" pods; echo "a $pod-new u9 False DaemonSet" >>pods ;;'
    kubectl.write_text(KUBECTL.replace('sed -i "/ $pod /d" pods ;;', reborn))
    assert world.evict("5").returncode == 0, "the Pods of DaemonSets come back at once, and none of them ever ends"
