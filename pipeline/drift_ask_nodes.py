"""The observer of a node: two scripts that change nothing run in it, and what they print is read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from pipeline.drift_facts import Left, NodeFacts
from steps.doors.node import on_node
from steps.residue import Residue, render
from steps.running import StepError

# Seconds for each script, and for a Pod that does not answer at first.
_LOOK, _REACH = 30, 3


def ask_node(name: str, rows: Sequence[Residue], peers: Sequence[str], pods: Sequence[str]) -> NodeFacts:
    """What the node `name` has of `rows`, and its facts. `peers` are the nodes' addresses, `pods` the ADDRESS:PORT that
    are to be reached from there. Raises StepError where a script fails or prints what it should not."""
    left = on_node(name, "clean", env={"MODE": "rows", "PEERS": " ".join(peers)}, stdin=render(rows), timeout=_LOOK)
    said = on_node(name, "facts", *pods, env={"SECONDS_MAX": str(_REACH)}, timeout=_LOOK)
    return facts_from(name, left, said, pods)


def facts_from(name: str, left: str, said: str, pods: Sequence[str]) -> NodeFacts:
    """Reads what clean.sh and facts.sh print. Raises StepError for a line that they do not print, and for a Pod of
    which nothing is said."""
    conflists: dict[str, str] = {}
    sysctls: dict[str, str] = {}
    routes: list[str] = []
    reached: dict[str, bool] = {}
    agents: dict[str, dict[str, str]] = {}
    for line in said.splitlines():
        match line.split():
            case ["conflist", file, text]:
                conflists[file] = _decoded(name, text)
            case ["conflist", file]:
                conflists[file] = ""
            case ["sysctl", key, value]:
                sysctls[key] = value
            case ["route", *_]:
                routes.append(line.removeprefix("route "))
            case ["agent", uid, key, digest]:
                agents.setdefault(uid, {})[key] = digest
            case ["reach", address, "true" | "false" as answer]:
                reached[address] = answer == "true"
            case _:
                raise StepError(f"{name} says {line[:200]!r}, which is no fact")
    missing = [address for address in pods if address not in reached]
    if missing:
        raise StepError(f"{name} says nothing of {', '.join(missing)}")
    return NodeFacts(
        name=name,
        left=tuple(_left(name, line) for line in left.splitlines()),
        conflists=conflists,
        sysctls=sysctls,
        routes=tuple(routes),
        reached=reached,
        agents=agents,
    )


def _left(name: str, line: str) -> Left:
    row, colon, item = line.partition(": ")
    kind, blank, what = row.partition(" ")
    if not (colon and blank):
        raise StepError(f"{name} says {line[:200]!r}, which is no row of the table")
    return Left(kind=kind, what=what, item=item)


def _decoded(name: str, text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace")
    except binascii.Error as error:
        raise StepError(f"{name} says {text[:60]!r}, which is no file") from error
