"""One short pair of the benchmark, of everything but the training, on two clusters of its own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import results
from bench.clusters import CLUSTERS
from bench.results import Results
from e2e.real import ROOT, Real, run
from engine import pulumi_cli

NAMES = {cluster.name for cluster in CLUSTERS.values()}
# Besides the program's own. The benchmark's image is made with the kit where Docker Hub is out of reach.
FOLDERS = ("bench", "report", "scripts", "airgap")


@pytest.fixture(scope="session")
def program(real: Real) -> Path:
    """The shared cluster's program with the benchmark and the report beside it."""
    program = real.stacks["cilium"].program
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, program / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return program


@pytest.fixture(scope="session")
def measured(real: Real, program: Path) -> Iterator[Results]:
    taken = NAMES & set(run("kind", "get", "clusters").split())
    assert not taken, f"{taken} are a benchmark of yours, which this test would end: make bench-down"
    try:
        said = python(real, program, "-m", "bench", "run", "--pairs", "1", "--seconds", "1", "--no-training")
        assert "indicative" in said.lower(), "one pair would pass for a measurement"
        yield results.load(program / ".state" / "bench" / "quick-1x1.jsonl")
    finally:
        python(real, program, "-m", "bench", "down")


def python(real: Real, program: Path, *arguments: str) -> str:
    return typed(real, program, sys.executable, *arguments)


def typed(real: Real, program: Path, *command: str) -> str:
    # The benchmark ends by itself after 20 minutes.
    done = pulumi_cli.run(command, env=real.stacks["cilium"].environ(), patience=1800, cwd=program)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
