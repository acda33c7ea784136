"""Reads steps/targets.toml: the targets that scripts build, root file systems and images."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.paths import AIRGAP
from kit.target import Target

STEPS = AIRGAP / "steps" / "targets.toml"
ENGINE = "engine"
KEYS = frozenset({"deps", "inputs", "script", "weight", "engine", "check", "restore", "pins"})


def load(common: Mapping[str, str], path: Path = STEPS) -> dict[str, Target]:
    """The targets of the file, whose paths are relative to its folder's parent. Raises KitError for unknown keys.

    `common` are the pins that are not tools'; a target sees those of the tables it names in `pins`, all by default.
    """
    with path.open("rb") as file:
        tables = tomllib.load(file)
    return {name: _target(name, table, common, path.parent.parent) for name, table in tables.items()}


def _target(name: str, table: Mapping[str, Any], common: Mapping[str, str], root: Path) -> Target:
    unknown = set(table) - KEYS
    if unknown or "script" not in table:
        raise KitError(f"targets.toml: «{name}»: unknown {sorted(unknown)}" if unknown else f"«{name}» has no script")
    scripts = [root / table[key] for key in ("script", "restore") if table.get(key)]
    return Target(
        name=name,
        command=("bash", str(scripts[0])),
        deps=(*table.get("deps", ()), *((ENGINE,) if table.get("engine") else ())),
        inputs=(*scripts, *(root / path for path in table.get("inputs", ()))),
        pins=_select(common, table.get("pins")),
        weight=table.get("weight", 1),
        check=table.get("check", ""),
        restore=("bash", str(root / table["restore"])) if table.get("restore") else (),
    )


def _select(common: Mapping[str, str], tables: list[str] | None) -> dict[str, str]:
    if tables is None:
        return dict(common)
    prefixes = tuple(table.replace("-", "_").upper() + "_" for table in tables)
    return {name: value for name, value in common.items() if name.startswith(prefixes)}
