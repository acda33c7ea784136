"""Reads pins.toml, the only place with versions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.paths import AIRGAP

PINS = AIRGAP / "pins.toml"


@dataclass(frozen=True, kw_only=True)
class ModuleFile:
    """A file or folder of a Go module that is used as it is."""

    module: str
    path: str
    # Its name in the output folder.
    to: str


@dataclass(frozen=True, kw_only=True)
class Tool:
    """Binaries that are built from one Go module."""

    name: str
    module: str
    version: str
    weight: int
    # Name on disk -> package below the module.
    binaries: Mapping[str, str]
    requires: Mapping[str, str] = field(default_factory=dict[str, str])
    replaces: Mapping[str, str] = field(default_factory=dict[str, str])
    # Name on disk -> build tags, where a binary has any.
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    # Go variable -> text that the linker sets it to.
    stamp: Mapping[str, str] = field(default_factory=dict[str, str])
    files: tuple[ModuleFile, ...] = ()
    cgo: bool = False
    # The main package is this repo's, in modules/<name>, with these files of the module embedded in it.
    own_main: bool = False
    embed: tuple[str, ...] = ()
    embed_version: str = ""


@dataclass(frozen=True, kw_only=True)
class Pins:
    """All of pins.toml, with the versions filled in."""

    tools: Mapping[str, Tool]
    # The tables that are not tools, as NAME_KEY -> text.
    common: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.common[name]


def load(path: Path = PINS) -> Pins:
    """Read the pins. Raises KitError where a text names a version that is not there."""
    with path.open("rb") as file:
        tables = tomllib.load(file)
    raw_tools: dict[str, dict[str, Any]] = tables.pop("tools")
    names = {name: str(table["version"]) for name, table in raw_tools.items()}
    names |= {f"plugins.{name}": str(version) for name, version in tables["plugins"].items()}
    common = {
        f"{table}_{key}".replace("-", "_").upper(): _fill(str(value), names)
        for table, values in tables.items()
        for key, value in values.items()
    }
    return Pins(tools={name: _tool(name, table, names) for name, table in raw_tools.items()}, common=common)


def _tool(name: str, table: Mapping[str, Any], names: Mapping[str, str]) -> Tool:
    version = str(table["version"])
    names = {**names, "version": version, "number": version.removeprefix("v")}
    staging: dict[str, Any] = table.get("staging", {"version": "", "modules": []})
    return Tool(
        name=name,
        module=table["module"],
        version=version,
        weight=table["weight"],
        binaries=table["binaries"],
        requires=dict(text.split("@") for text in table.get("requires", [])),
        replaces=dict.fromkeys(staging["modules"], str(staging["version"])),
        tags=table.get("tags", {}),
        stamp={variable: _fill(text, names) for variable, text in table.get("stamp", {}).items()},
        files=tuple(
            ModuleFile(
                module=entry.get("module", table["module"]),
                path=entry["path"],
                to=entry.get("as", f"src/{entry['path']}"),
            )
            for entry in table.get("files", [])
        ),
        cgo=table.get("cgo", False),
        own_main=table.get("own-main", False),
        embed=tuple(table.get("embed", ())),
        embed_version=_fill(table.get("embed-version", ""), names),
    )


def _fill(text: str, names: Mapping[str, str]) -> str:
    for name, version in names.items():
        text = text.replace("{" + name + "}", version)
    if "{" in text:
        raise KitError(f"pins.toml: «{text}» names a version that is not there")
    return text
