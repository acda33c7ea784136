"""Stands in for a step that needs a real cluster: records its name and whom it was called for, fails once where that is
asked."""

import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    fake = Path(os.environ["FAKE"])
    verb = Path(__file__).stem.replace("_", "-")
    node, cni = os.environ.get("NODE", ""), os.environ.get("CNI", "")
    # A node's move and its clean-up are told apart by the node, everything else by the CNI.
    with (fake / "calls").open("a") as calls:
        calls.write(f"{verb} {node or cni}\n")
    for fault in (verb, f"{verb} {node}"):
        try:
            (fake / "fail" / fault).unlink()
        except FileNotFoundError:
            continue
        sys.exit(f"fault planted in {verb}")
    match verb:
        case "node-clean":
            print("2026-01-01T00:00:00Z")
        case "traffic-report":
            print(json.dumps({"measured": True}))
        case "verify":
            print(json.dumps({"ok": True, "cni": cni}))
        case _:
            pass
