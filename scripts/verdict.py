"""Prints two verdicts side by side: what `verification` was before a migration, and what it is after it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

ROWS = (
    ("CNI", "cni"),
    ("encapsulation", "encapsulation"),
    ("a ping on the wire (IP bytes)", "icmpWireBytes"),
    ("of which overhead", "overheadBytes"),
    ("routing", "routing"),
    ("kube-proxy replacement", "kubeProxyReplacement"),
    ("masquerading", "masquerading"),
    ("Services from every node and Pod", "services"),
    ("DNS from every node and Pod", "dns"),
)


def table(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A row a fact, with the pairs of nodes that were measured last."""
    rows = [(label, _text(before[key]), _text(after[key])) for label, key in ROWS]
    rows.append(("pairs of nodes measured", str(len(before["pairs"])), str(len(after["pairs"]))))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    print(table(json.loads(sys.argv[1]), json.loads(sys.argv[2])))
