"""What the kit's own targets run: each is called in a process of its own, with OUT, DEP_* and PIN_* set."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from kit import gomodules, pins, site
from kit.paths import AIRGAP

COMMAND_PLUGIN = AIRGAP / "command-plugin"


def tool(name: str, out: Path) -> None:
    """A Go tool of pins.toml."""
    gomodules.build(pins.load().tools[name], out)


def command_plugin(_: str, out: Path) -> None:
    """The stand-in for Pulumi's command plugin."""
    link = f"{gomodules.LINK_FLAGS} -X main.version={os.environ['PIN_PLUGINS_COMMAND']}"
    target = f"{out}/bin/pulumi-resource-command"
    env = {**os.environ, **gomodules.GO_ENV, "CGO_ENABLED": "0"}
    command = ["go", "build", *gomodules.BUILD_FLAGS, "-ldflags", link, "-o", target, "."]
    subprocess.run(command, cwd=COMMAND_PLUGIN, env=env, check=True)


def uv(_: str, out: Path) -> None:
    """uv, as the one binary that its wheel holds; the virtual environment it came through is not kept."""
    requirement = out / "requirements.txt"
    hashes = [f"--hash={digest}" for digest in os.environ["PIN_UV_HASHES"].split()]
    requirement.write_text(" ".join([f"uv=={os.environ['PIN_UV_VERSION']}", *hashes]) + "\n")
    venv = out / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [venv / "bin" / "pip", "install", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "--only-binary=:all:", "-r", requirement], check=True)
    (out / "bin").mkdir()
    shutil.move(venv / "bin" / "uv", out / "bin" / "uv")
    shutil.rmtree(venv)
    requirement.unlink()


def toolchain(_: str, out: Path) -> None:
    """One folder to put on PATH. PIN_LINKS: «dependency:file» words.

    Hard links: the engine looks for the language host beside its own real path, and would warn of one elsewhere.
    """
    (out / "bin").mkdir()
    for word in os.environ["PIN_LINKS"].split():
        dependency, file = word.split(":")
        source = Path(os.environ[f"DEP_{dependency.replace('-', '_').upper()}"]) / file
        os.link(source, out / "bin" / source.name)


def site_file(_: str, out: Path) -> None:
    """The program's settings on this machine."""
    images = {name.removeprefix("PIN_"): text for name, text in os.environ.items() if name.startswith("PIN_")}
    site.write(images, Path(os.environ["DEP_CILIUM"]), out / "site.yaml")


BUILDERS: dict[str, Callable[[str, Path], None]] = {
    "tool": tool,
    "command-plugin": command_plugin,
    "uv": uv,
    "toolchain": toolchain,
    "site": site_file,
}


def run(builder: str, name: str) -> None:
    """Run one builder into OUT."""
    BUILDERS[builder](name, Path(os.environ["OUT"]))
