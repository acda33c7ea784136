"""All targets of the kit."""

from __future__ import annotations

import sys

from kit import gomodules, steps
from kit.builders import COMMAND_PLUGIN
from kit.paths import AIRGAP
from kit.pins import Pins
from kit.target import Target

KIT = AIRGAP / "kit"
ENGINE = AIRGAP / "engine"
# Command -> the files that make it, as «target:file».
LINKS = {
    "pulumi": (
        "pulumi:bin/pulumi",
        "pulumi:bin/pulumi-language-python-exec",
        "pulumi-language-python:bin/pulumi-language-python",
    ),
    "uv": ("uv:bin/uv",),
    "kind": ("kind:bin/kind",),
    "kubectl": ("kubernetes:bin/kubectl",),
    "helm": ("helm:bin/helm",),
    "hubble": ("cilium:bin/hubble",),
}


def tools(pins: Pins, commands: tuple[str, ...]) -> dict[str, Target]:
    """The tools by name, and what is made of them; `toolchain` holds `commands`."""
    images = {name: text for name, text in pins.common.items() if name.startswith("IMAGES_")}
    go = {"GO": gomodules.pins_of(next(iter(pins.tools.values())))["GO"]}
    targets = [
        *(_tool(pins, name) for name in pins.tools),
        Target(
            name="pulumi-resource-command",
            command=_own("command-plugin"),
            # Its tests do not change it.
            inputs=tuple(
                path
                for path in sorted(COMMAND_PLUGIN.rglob("*"))
                if path.is_file() and not path.name.endswith("_test.go")
            ),
            pins={**go, "PLUGINS_COMMAND": pins["PLUGINS_COMMAND"]},
            weight=200,
            heavy=True,
        ),
        Target(
            name="uv",
            command=_own("uv"),
            deps=("python3-venv",),
            pins={name: pins[name] for name in ("UV_VERSION", "UV_HASHES")},
            weight=15,
        ),
        _toolchain(commands),
        Target(name="site", command=_own("site"), deps=("cilium",), inputs=(KIT / "site.py",), pins=images),
        _package("python3-venv", f"{sys.executable} -c 'import ensurepip'", "python3-venv"),
        _package("c-compiler", "command -v gcc && [[ $(gcc -print-file-name=libc.a) == /* ]]", "gcc", "libc6-dev"),
    ]
    return {target.name: target for target in targets}


def images(pins: Pins) -> dict[str, Target]:
    """The root file systems and images, and the container engine that they are built with and live in."""
    engine = Target(
        name=steps.ENGINE,
        command=("bash", str(ENGINE / "start.sh")),
        deps=("runc-shim",),
        cached=False,
        check="timeout 20 docker info",
        weight=30,
    )
    return {engine.name: engine, **steps.load(pins.common)}


def _tool(pins: Pins, name: str) -> Target:
    tool = pins.tools[name]
    return Target(
        name=name,
        command=_own("tool", name),
        deps=("c-compiler",) if tool.cgo else (),
        inputs=(gomodules.MODULES / name,),
        pins=gomodules.pins_of(tool),
        weight=tool.weight,
        heavy=True,
    )


def _toolchain(commands: tuple[str, ...]) -> Target:
    links = [link for command in commands for link in LINKS.get(command, ())]
    return Target(
        name="toolchain",
        command=_own("toolchain"),
        deps=tuple(dict.fromkeys(link.split(":")[0] for link in links)),
        pins={"LINKS": " ".join(links)},
    )


def _package(name: str, check: str, *packages: str) -> Target:
    """Debian packages that are installed only where what they bring is missing."""
    command = ("bash", str(ENGINE / "packages.sh"), *packages)
    return Target(name=name, command=command, cached=False, check=check, weight=20)


def _own(builder: str, name: str = "") -> tuple[str, ...]:
    return (sys.executable, str(KIT), "builder", builder, name)
