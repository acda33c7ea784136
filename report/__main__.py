"""Writes the report: `python -m report FOLDER`, with what there is to show.

FOLDER gets index.html and the captures beside it. Every input may be left out; the page then says what is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import results
from bench.results import Results
from report import page, parts
from report.flows import flows
from report.packet import CaptureError, Part, decoded

CNIS = ("flannel", "cilium")


def main(arguments: Sequence[str]) -> int:
    """0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m report", description=__doc__)
    parser.add_argument("folder", type=Path)
    for cni in CNIS:
        parser.add_argument(f"--{cni}-pcap", type=Path, help=f"a ping between nodes under {cni}")
        parser.add_argument(f"--{cni}", type=Path, help=f"`pulumi stack output --json` of the stack {cni}")
    parser.add_argument("--bench", type=Path, nargs="*", default=[], help="files of results, the migration's too")
    parser.add_argument("--flows", type=Path, help="`hubble observe --output jsonpb`")
    given = vars(parser.parse_args(arguments))
    try:
        target = _write(given)
    except (results.ResultsError, ValueError, OSError) as error:
        sys.stderr.write(f"report: {error}\n")
        return 1
    print(target)
    return 0


def _write(given: dict[str, Any]) -> Path:
    folder: Path = given["folder"]
    folder.mkdir(parents=True, exist_ok=True)
    captures: dict[str, Sequence[Part]] = {}
    unread: list[str] = []
    for cni in CNIS:
        if source := given[f"{cni}_pcap"]:
            try:
                captures[cni] = decoded(source)
            except CaptureError as error:
                # The page says so; the rest of it does not depend on one packet.
                unread.append(str(error))
                sys.stderr.write(f"report: {error}\n")
                continue
            if source.resolve() != (folder / f"{cni}.pcap").resolve():
                shutil.copyfile(source, folder / f"{cni}.pcap")
    found = [results.load(path) for path in given["bench"]]
    outputs = {cni: json.loads(given[cni].read_text()) for cni in CNIS if given[cni]}
    shown = [
        parts.verification(outputs),
        parts.packet(captures, unread),
        *(parts.interruption(cni, output.get("interruption") or {}) for cni, output in outputs.items()),
        parts.migrations(best(found, migration=True)),
        parts.benchmark(best(found, migration=False)),
        parts.hubble(flows(given["flows"].read_text().splitlines()) if given["flows"] else ()),
    ]
    target = folder / "index.html"
    target.write_text(page.page(shown))
    return target


def best(found: Sequence[Results], *, migration: bool) -> Results | None:
    """Of several benchmarks the one with the most pairs or rounds, the last of those: a quick one that was made later
    does not take the place of one in full."""
    ones = [one for one in found if (one.run.mode == "migration") is migration]
    return max(ones, key=lambda one: (len(one.pairs) + len(one.migrations), one.run.began), default=None)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
