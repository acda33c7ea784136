"""engine/start.sh and stop.sh where they must leave everything as it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kit.paths import AIRGAP

ENGINE = AIRGAP / "engine"


def run(script: str, tmp_path: Path, docker: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script with an empty cache folder, and a `docker` and a `dockerd` that write down that they were called."""
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    for name, text in {"docker": docker, "dockerd": f"touch {tmp_path}/dockerd-called"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    whole = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    whole |= {"PATH": f"{tools}:{os.environ['PATH']}", "XDG_CACHE_HOME": f"{tmp_path}/cache", **env}
    return subprocess.run(["bash", str(ENGINE / script)], env=whole, text=True, capture_output=True, check=False)


def test_an_engine_that_answers_is_left_alone(tmp_path: Path) -> None:
    done = run("start.sh", tmp_path, "exit 0")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "dockerd-called").exists(), "a second engine would fight the user's own for its socket"
    assert not (tmp_path / "cache").exists()


def test_a_docker_host_of_the_users_that_is_dead_is_an_error(tmp_path: Path) -> None:
    done = run("start.sh", tmp_path, "exit 1", DOCKER_HOST="tcp://192.0.2.1:2375")
    assert done.returncode == 1
    assert "tcp://192.0.2.1:2375" in done.stderr, "an engine would be started that the user's docker never talks to"
    assert not (tmp_path / "dockerd-called").exists()


def test_stop_ends_nothing_that_start_did_not_start(tmp_path: Path) -> None:
    done = run("stop.sh", tmp_path, f"touch {tmp_path}/docker-called")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "docker-called").exists(), "the user's containers would be stopped"


@pytest.mark.skipif(os.geteuid() != 0, reason="stop.sh needs root once there is something to stop")
def test_a_pid_that_another_process_has_got_is_not_killed(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "cni-migration" / "engine"
    folder.mkdir(parents=True)
    (folder / "daemon.json").write_text('{\n  "exec-root": "/run/cni-migration-engine-of-a-test",\n  "x": 1\n}\n')
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (folder / "dockerd.pid").write_text(f"{stranger.pid}\n")
        done = run("stop.sh", tmp_path, "exit 1")
        alive = stranger.poll() is None
        stranger.kill()
    assert done.returncode == 0, done.stderr
    assert alive, "a stranger's process was killed"
    assert not (folder / "daemon.json").exists(), "the next stop would look for the same dead engine again"
