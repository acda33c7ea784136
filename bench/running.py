"""One run of the benchmark, from the images to the table."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import facts, results
from bench.clusters import CLUSTERS, FOLDER, WORKERS, down, up
from bench.order import SIDES, Side
from bench.pulumi import ROOT
from bench.render import section
from bench.results import SCHEMA, Results, ResultsError, Run
from bench.rounds import ATTEMPTS, STEAL_LIMIT, Left, measure_all
from bench.subject import Subject
from bench.workloads import Workload, workloads
from steps.doors.kubectl import cluster as kubectl_of
from steps.doors.process import run as process
from steps.running import say

IMAGE, PACKAGES = "cni-migration/bench:tools", ("iperf3", "sockperf", "apache2-utils", "nginx-light")
TRAINING_IMAGE, TRAINING_PACKAGES = "cni-migration/bench:training", ("python3-torch",)
# From so many pairs on a benchmark is one in full.
FULL = 20
# Of one measurement in s: pairs make an interval narrower sooner than longer ones. A quick one leaves room for the
# images, which its first run makes.
SECONDS = {"quick": 2, "full": 3}
# For everything together, images and clusters included. A quick one has 20, of which the end takes the rest.
MINUTES = {"quick": 18.5, "full": math.inf}


def run(*, pairs: int, seconds: int | None, minutes: float | None, training: bool, ranks: int, keep: bool) -> int:
    """0 where every pair is measured, or where an indicative run has at least one of each and no more time; 3 where
    something has no figure, and is tried when the same is typed again. Raises ValueError where nothing can be measured
    that way."""
    mode = "full" if pairs >= FULL else "quick"
    seconds, minutes = seconds or SECONDS[mode], minutes or MINUTES[mode]
    if pairs < 1 or seconds < 1 or minutes <= 0 or ranks < WORKERS:
        raise ValueError(f"{pairs} pairs of {seconds} s within {minutes:g} minutes by {ranks} ranks are no benchmark")
    until = time.monotonic() + minutes * 60
    of = f"{'-training' if training else ''}{f'-{ranks}ranks' if ranks > WORKERS else ''}"
    path = FOLDER / f"{mode}-{pairs}x{seconds}{of}.jsonl"
    outputs = _ready(ranks, training=training)
    with ExitStack() as stack:
        subjects: dict[Side, Subject] = {
            side: Subject(CLUSTERS[side], stack.enter_context(kubectl_of(CLUSTERS[side].name)), ranks) for side in SIDES
        }
        for subject in subjects.values():
            subject.prepare(IMAGE, TRAINING_IMAGE if training else "")
        about = _about(subjects, outputs, mode=mode, pairs=pairs, seconds=seconds, training=training)
        begin_or_go_on(path, about)

        def measure(side: Side, test: Workload) -> results.Measure:
            return subjects[side].measure(test)

        left = measure_all(path, workloads(seconds, training=training), measure, until=until, said=say)
    found = results.load(path)
    print(section(found))
    return _end(path, found, left, keep=keep)


def _ready(ranks: int, *, training: bool) -> Mapping[Side, Mapping[str, Any]]:
    """Images and clusters are there; the clusters' outputs. The images are made meanwhile: PyTorch's takes as long as a
    cluster."""
    with ThreadPoolExecutor(1) as threads:
        images = threads.submit(_images, training=training)
        outputs: dict[Side, Mapping[str, Any]] = {side: up(CLUSTERS[side], ranks) for side in SIDES}
        images.result()
    return outputs


def _images(*, training: bool) -> None:
    _image(IMAGE, *PACKAGES)
    if training:
        _image(TRAINING_IMAGE, *TRAINING_PACKAGES)


def _image(image: str, *packages: str) -> None:
    # With PyTorch it is half a gigabyte to fetch and unpack.
    process(["bash", str(ROOT / "bench" / "image.sh"), image, *packages], timeout=1200, show=True)


def _about(
    subjects: Mapping[Side, Subject], outputs: Mapping[Side, Mapping[str, Any]], *, mode: str, pairs: int,
    seconds: int, training: bool,
) -> Run:  # fmt: skip
    first = subjects[SIDES[0]]
    return Run(
        schema=SCHEMA,
        mode=mode,
        pairs=pairs,
        seed=secrets.randbelow(10**6),
        indicative=pairs < FULL,
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        project=facts.project(),
        settings=facts.settings(seconds, STEAL_LIMIT, ATTEMPTS, training=training, ranks=first.ranks),
        machine=facts.machine(),
        versions=facts.versions(first, training=training),
        clusters={side: facts.cluster(subjects[side], outputs[side]) for side in SIDES},
    )


def begin_or_go_on(path: Path, about: Run) -> None:
    """The file of this run: the interrupted one's, or a new one beside a run that is whole. Raises ResultsError where
    the interrupted one was on another machine or other networks."""
    if path.exists():
        results.mend(path)
        before = results.load(path)
        if not _whole(before):
            wrong = facts.differences(before.run, about)
            if wrong:
                raise ResultsError(
                    f"{path} was begun on something else, and its pairs would not be comparable; move it away, or set "
                    f"that back: {'; '.join(wrong)}"
                )
            say(f"going on with {path}: {len(before.done())} pairs and controls are there")
            return
        path.rename(path.with_name(f"{path.stem}-{before.run.began.replace(':', '')}.jsonl"))
    results.begin(path, about)


def _whole(found: Results) -> bool:
    settings = found.run.settings
    wanted = workloads(settings["seconds"], training=settings["training"])
    return len(found.done()) >= found.run.pairs * sum(2 if test.controlled else 1 for test in wanted)


def _end(path: Path, found: Results, left: Left, *, keep: bool) -> int:
    say(f"results: {path}")
    if not _whole(found):
        # The clusters stay: the same command goes on with them.
        lost = f"; without a sample: {', '.join(left.failed)}" if left.failed else ""
        say(f"{left.late} pairs and controls were not begun{lost}; the same again goes on, `make bench-down` ends it")
        enough = found.run.indicative and not left.failed and _one_of_each(found)
        return 0 if enough else 3
    if not keep:
        for side in SIDES:
            down(CLUSTERS[side])
    return 0


def _one_of_each(found: Results) -> bool:
    wanted = workloads(found.run.settings["seconds"], training=found.run.settings["training"])
    return {test.name for test in wanted} <= {test for _, test, comparison in found.done() if comparison == "pair"}
