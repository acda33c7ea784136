"""The benchmark's verbs: `python -m bench VERB`.

    run [--pairs N] [--minutes M] [--keep] …              both clusters, and every pair that its file does not have yet
    render FILE... [--page PAGE]                          results as Markdown, to stdout or into PAGE; measures nothing
    down                                                  both clusters are gone

Results are in .state/bench. An interrupted run goes on behind its last pair when it is typed again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import running
from bench.answers import NoSampleError
from bench.clusters import CLUSTERS, down
from bench.order import SIDES
from bench.render import placed, section
from bench.results import ResultsError, load
from steps.running import StepError


def main(arguments: Sequence[str]) -> int:
    """0; 1 with one sentence on stderr; 3 where something gave no sample or was not begun."""
    given = _parser().parse_args(arguments)
    try:
        match given.verb:
            case "run":
                return running.run(
                    pairs=given.pairs,
                    seconds=given.seconds,
                    minutes=given.minutes,
                    training=given.training,
                    ranks=given.ranks,
                    keep=given.keep,
                )
            case "render":
                _render(given.files, given.page)
            case _:
                for side in SIDES:
                    down(CLUSTERS[side])
    except (StepError, NoSampleError, ResultsError, ValueError, OSError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    return 0


def _render(files: Sequence[Path], page: Path | None) -> None:
    text = "\n\n".join(section(load(file)) for file in files)
    if page is None:
        print(text)
    else:
        page.write_text(placed(page.read_text(), text))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run")
    run.add_argument("--pairs", type=int, default=3, help="3: indicative; 20 and more: in full")
    run.add_argument("--seconds", type=int, help="of one measurement")
    run.add_argument("--minutes", type=float, help="begin nothing that would end later")
    run.add_argument("--training", action=argparse.BooleanOptionalAction, default=True, help="all-reduce and DDP, too")
    run.add_argument("--ranks", type=int, default=2, help="of the training, each on a worker of its own")
    run.add_argument("--keep", action="store_true", help="leave the clusters when everything is measured")
    render = verbs.add_parser("render")
    render.add_argument("files", nargs="+", type=Path)
    render.add_argument("--page", type=Path)
    verbs.add_parser("down")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
