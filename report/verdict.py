"""Two verdicts side by side: what `verification` was before a migration, and what it is after it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
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


def rows(verdicts: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[str]]:
    """A row a fact: its name, and what each verdict says of it."""
    found = [(label, *(_text(one[key]) for one in verdicts)) for label, key in ROWS]
    return [*found, ("pairs of nodes measured", *(str(len(one["pairs"])) for one in verdicts))]


def table(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Both as text, in columns."""
    found = rows([before, after])
    widths = [max(len(row[column]) for row in found) for column in range(3)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in found
    )


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    print(table(json.loads(sys.argv[1]), json.loads(sys.argv[2])))
