"""Checks what needs no cluster, no backend and no passphrase: the settings of all stacks, together.

python -m pipeline.check    reports every mistake at once, and exits 1 where there is one
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.stack_files import Settings, SettingsError, settings_of, stacks


def mistakes(folder: Path = Path()) -> list[str]:
    """What is wrong with the stacks' files: each by itself, then as two wanted states of one cluster."""
    found: list[str] = []
    read: dict[str, Settings] = {}
    for stack in stacks(folder):
        try:
            read[stack] = settings_of(stack, folder)
        except SettingsError as error:
            found.append(f"stack {stack}: {error}")
    if not found and not read:
        found.append("there is no stack: no file Pulumi.STACK.yaml")
    return [*found, *disagreements(read), *_wanted(folder)]


def _wanted(folder: Path) -> list[str]:
    """The stack that the pipeline applies: one of several that own the cluster in turns."""
    named = folder / "pipeline" / "stack.txt"
    wanted = named.read_text().strip() if named.is_file() else ""
    if wanted in stacks(folder):
        return []
    return [f"pipeline/stack.txt names {wanted!r}, which is no stack; write one of {', '.join(stacks(folder))}"]


def disagreements(read: Mapping[str, Settings]) -> list[str]:
    """Stacks of one cluster that want another cluster each: the second one's `up` would be refused."""
    found: list[str] = []
    by_cluster: dict[str, list[str]] = {}
    for stack, settings in read.items():
        by_cluster.setdefault(settings.cluster.name, []).append(stack)
    for name, members in by_cluster.items():
        if len({read[stack].cluster for stack in members}) > 1:
            found.append(
                f"stacks {', '.join(members)} are of cluster {name} and differ in cluster.*, which one cluster cannot "
                "follow; set the same in each, or another cluster.name"
            )
    return found


if __name__ == "__main__":
    if wrong := mistakes():
        sys.exit("\n".join(f"check: {line}" for line in wrong))
    print(f"check: the settings of {', '.join(stacks())} are right", file=sys.stderr)
