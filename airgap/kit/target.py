"""What the kit can build, and the key that says whether it has been built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit.errors import KitError
from kit.paths import Cache


@dataclass(frozen=True, kw_only=True)
class Target:
    """One output folder and the command that fills it.

    The command gets OUT (the folder to fill), DEP_<NAME> (each dependency's folder), PIN_<NAME>, KEY, and `env`. An
    uncached target has no folder: it is done when `check` says so, and its command runs where it does not.
    """

    name: str
    command: tuple[str, ...]
    deps: tuple[str, ...] = ()
    # Files and folders whose content counts.
    inputs: tuple[Path, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict[str, str])
    # Seconds that a first build takes, roughly; the longest are started first.
    weight: int = 1
    # Go builds: of these only two run at once, whatever the number of cores.
    heavy: bool = False
    cached: bool = True
    # A shell command that exits 0 where the result is (still) there, for results that live outside the folder.
    check: str = ""
    # Brings such a result back from the folder.
    restore: tuple[str, ...] = ()


Graph = Mapping[str, Target]


def closure(graph: Graph, wanted: tuple[str, ...]) -> list[Target]:
    """`wanted` and everything they need, dependencies first. Raises KitError for an unknown name or a circle."""
    order: list[Target] = []
    state: dict[str, bool] = {}

    def visit(name: str, needed_by: str) -> None:
        if name not in graph:
            raise KitError(f"no target «{name}» ({needed_by} needs it)")
        if name in state:
            if not state[name]:
                raise KitError(f"target «{name}» depends on itself")
            return
        state[name] = False
        for dep in graph[name].deps:
            visit(dep, name)
        state[name] = True
        order.append(graph[name])

    for name in wanted:
        visit(name, "the command line")
    return order


def keys(targets: list[Target]) -> dict[str, str]:
    """Each target's key: its pins, its inputs' content, its command's arguments and its dependencies' keys.

    Paths do not count, so that two clones of one commit share what they built; uncached targets do not either.
    """
    found: dict[str, str] = {}
    cached = {target.name for target in targets if target.cached}
    for target in targets:
        facts = {
            "name": target.name,
            "pins": dict(sorted(target.pins.items())),
            "inputs": [_content(path) for path in target.inputs],
            "command": [part for part in target.command if not part.startswith("/")],
            "deps": [found[dep] for dep in target.deps if dep in cached],
        }
        found[target.name] = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return found


def folder(cache: Cache, target: Target, key: str) -> Path:
    """Where the target's output is once it is built."""
    return cache.out / f"{target.name}-{key[:16]}"


def _content(path: Path) -> list[tuple[str, bool, str]]:
    """Every file of `path`: its name below the folder, whether it is executable, and the hash of its content."""
    if not path.exists():
        raise KitError(f"{path} is an input of a target, and is not there")
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return [
        (
            str(file.relative_to(path.parent)),
            bool(file.stat().st_mode & 0o100),
            hashlib.sha256(file.read_bytes()).hexdigest(),
        )
        for file in files
        if "__pycache__" not in file.parts
    ]
