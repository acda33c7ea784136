"""Removes what a CNI left on a node, by residue.py's table on stdin; prints the time when it was done."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from steps import marker
from steps.doors.node import on_node
from steps.doors.process import ToolError
from steps.residue import explain
from steps.running import StepError, main


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The node, and where and as what the step is noted in the recording."""

    node: str
    control_plane: str
    mark: str


def clean(node: str, table: str) -> str:
    """What clean.sh prints: the time. Raises StepError naming what is still there, and why that matters."""
    try:
        return on_node(node, "clean", stdin=table)
    except ToolError as error:
        raise StepError("\n".join([f"{node}: {error}", *explain(error.said)])) from error


def node_clean(needs: Needs) -> str:
    """The time (UTC, RFC 3339) when the node was clean."""
    if needs.mark:
        marker.mark(needs.control_plane, needs.mark)
    return clean(needs.node, sys.stdin.read())


if __name__ == "__main__":
    main(Needs, node_clean)
