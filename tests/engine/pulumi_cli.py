"""Drives the pulumi that is on PATH, on a local backend: one Stack of one program.

Nothing here knows what the program is. Every pulumi command is non-interactive, uncoloured, has an empty passphrase
and runs with this interpreter first on PATH, because a language host may not look for a virtual environment itself.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 300.0
# For which an interrupted pulumi may go on: it ends its steps and gives its lock back. The benchmark gives its own 120.
ENDING_SECONDS = 150.0


class PulumiFailed(AssertionError):
    """A pulumi command that had to succeed did not; the message holds all it printed."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a preview would do with one resource."""

    op: str
    type: str
    name: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack called `name` of the program in `program`, its state in `backend`; `env` is added to the environment.

    pulumi writes Pulumi.NAME.yaml into `program`: give it a copy (`copy_program`), not the source. No command may take
    longer than `patience`, in seconds.
    """

    program: Path
    backend: Path
    name: str = "test"
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    patience: float = TIMEOUT_SECONDS

    def with_env(self, **more: str) -> Stack:
        return replace(self, env={**self.env, **more})

    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **self.env,
        }

    def command(self, *args: str) -> list[str]:
        return ["pulumi", *args, "--cwd", str(self.program), "--non-interactive", "--color", "never"]

    def run(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs `pulumi ARGS…`; with `check`, a non-zero exit is PulumiFailed."""
        done = run(self.command(*args), env=self.environ(), patience=self.patience)
        if check and done.returncode != 0:
            raise PulumiFailed(f"pulumi {' '.join(args)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Starts `pulumi ARGS…` and returns at once, for a test that interrupts it.

        Both streams go to one pipe: end with communicate(), for pulumi stands still once the pipe is full.
        """
        return subprocess.Popen(
            self.command(*args), env=self.environ(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def create(self) -> Stack:
        """Selects the stack, made first where it is missing."""
        self.backend.mkdir(parents=True, exist_ok=True)
        self.run("stack", "select", "--create", self.name)
        return self

    def set_config(self, key: str, value: str, *flags: str) -> None:
        self.run("config", "set", "--stack", self.name, *flags, key, value)

    def up(self, *flags: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("up", "--stack", self.name, "--yes", "--skip-preview", *flags, check=check)

    def refresh(self, *flags: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("refresh", "--stack", self.name, "--yes", "--skip-preview", *flags, check=check)

    def destroy(self, *flags: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("destroy", "--stack", self.name, "--yes", "--skip-preview", *flags, check=check)

    def preview(self, *flags: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("preview", "--stack", self.name, *flags, check=check)

    def preview_steps(self, *flags: str) -> list[Step]:
        """The steps of `pulumi preview --json` in its order, `same` included."""
        document = json.loads(self.preview("--json", *flags).stdout)
        return [
            Step(op=step["op"], type=kind_of(step["urn"]), name=name_of(step["urn"]), detail=step)
            for step in document.get("steps", [])
        ]

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        flags = ["--show-secrets"] if show_secrets else []
        return json.loads(self.run("stack", "output", "--stack", self.name, "--json", *flags).stdout)

    def export(self) -> dict[str, Any]:
        """The deployment, secrets encrypted, as `pulumi stack export` writes it."""
        return json.loads(self.run("stack", "export", "--stack", self.name).stdout)

    def resources(self) -> dict[str, dict[str, Any]]:
        """What is in the state, by name, without the stack itself and the providers."""
        deployment = self.export()["deployment"]
        return {
            name_of(resource["urn"]): resource
            for resource in deployment.get("resources", [])
            if not resource["type"].startswith("pulumi:")
        }


def run(
    command: Sequence[str], *, env: Mapping[str, str], patience: float, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A command that has ended by itself. Interrupted where it has not within `patience` seconds, and PulumiFailed."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, cwd=cwd, text=True, stdout=pipe, stderr=pipe) as process:
        try:
            out, said = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired as error:
            told = ended(process)
            raise PulumiFailed(f"{' '.join(command)}: not ended within {patience:g} s\n{told}") from error
        finally:
            process.kill()
    return subprocess.CompletedProcess(command, process.returncode, out, said)


def ended(process: subprocess.Popen[str]) -> str:
    """What it has printed, interrupted where it still runs. Killed at once, pulumi would leave its steps running, and a
    lock on which every later command fails; where nothing else is left, it is killed, and that is PulumiFailed."""
    process.send_signal(signal.SIGINT)
    try:
        out, said = process.communicate(timeout=ENDING_SECONDS)
    except subprocess.TimeoutExpired as error:
        process.kill()
        out, said = process.communicate()
        raise PulumiFailed(f"not ended within {ENDING_SECONDS:g} s of an interrupt\n{out}\n{said or ''}") from error
    return f"{out}\n{said or ''}"


def name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def kind_of(urn: str) -> str:
    return urn.split("::", 3)[2].rsplit("$", 1)[-1]


def copy_program(source: Path, target: Path) -> Path:
    """Copies a program's folder, without caches, over what is at `target`."""
    return Path(shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")))
