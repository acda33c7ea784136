"""The benchmark and the report for real: one short pair of everything but the training, on two clusters of their own,
and the page from that, from a capture and from flows of the shared cluster, in a real browser.

One pair proves no figure; it proves that each tool measures what its name says and that everything is gone afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench import results
from bench.clusters import CLUSTERS
from bench.results import Results
from bench.workloads import workloads
from e2e.conftest import ROOT, Real, has_cilium, run

pytestmark = pytest.mark.e2e
NAMES = {cluster.name for cluster in CLUSTERS.values()}
# Besides the program's own. The benchmark's image is made with the kit where Docker Hub is out of reach.
FOLDERS = ("bench", "report", "scripts", "airgap")


@pytest.fixture(scope="module")
def program(real: Real) -> Iterator[Path]:
    """The shared cluster's program with the benchmark and the report beside it, while stack cilium has the cluster."""
    taken = NAMES & set(run("kind", "get", "clusters").split())
    assert not taken, f"{taken} are a benchmark of yours, which this test would end: make bench-down"
    if not has_cilium(real):
        real.stacks["cilium"].up()
    program = real.stacks["cilium"].program
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, program / folder, ignore=shutil.ignore_patterns("__pycache__"))
    yield program
    python(real, program, "-m", "bench", "down")
    for folder in FOLDERS:
        shutil.rmtree(program / folder)


def python(real: Real, program: Path, *arguments: str) -> str:
    return typed(real, program, sys.executable, *arguments)


def typed(real: Real, program: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=program,
        env=real.stacks["cilium"].environ(),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def measured(real: Real, program: Path) -> Results:
    said = python(real, program, "-m", "bench", "run", "--pairs", "1", "--seconds", "1", "--no-training")
    assert "indicative" in said.lower(), "one pair would pass for a measurement"
    return results.load(program / ".state" / "bench" / "quick-1x1.jsonl")


def test_every_test_has_a_pair_of_both_networks(measured: Results) -> None:
    tests = {test.name for test in workloads(1, training=False)}
    assert {(pair.test, pair.comparison) for pair in measured.pairs if pair.kept} == {
        (test, comparison) for test in tests for comparison in ("pair", "control")
    }, "a figure would be missing, and nobody told"
    flannel, cilium = (measured.run.clusters[side] for side in ("flannel", "cilium"))
    assert (flannel["encapsulation"], flannel["podMtu"]) == ("vxlan", 1450)
    assert (cilium["encapsulation"], cilium["podMtu"]) == ("none", 1500)


def test_the_figures_are_those_of_a_network(measured: Results) -> None:
    values = {pair.test: pair.measures[0].values for pair in measured.pairs if pair.kept}
    assert values["other-node/tcp-1"]["gbits"] > 0.1, f"this is no TCP stream: {values['other-node/tcp-1']}"
    paced = values["other-node/paced"]
    assert 1.8 <= paced["gbits"] <= 2.2, "the CPU time of a rate that was not kept means nothing"
    assert paced["cpu-per-gb"] > 0, "the work of both networks would cost nothing"
    trip = values["other-node/round-trip"]
    assert 0 < trip["p50"] <= trip["p90"] <= trip["p99"] <= trip["p999"], f"percentiles out of order: {trip}"


def test_with_everything_measured_both_clusters_are_gone(measured: Results) -> None:
    assert measured.run.pairs == 1
    assert not NAMES & set(run("kind", "get", "clusters").split()), "two clusters would go on running"


@pytest.mark.usefixtures("measured")
def test_the_page_shows_what_was_measured_and_asks_nobody(real: Real, program: Path, browser: Browser) -> None:
    folder = program / ".state" / "report"
    python(real, program, "-m", "report.collect", "cilium", str(folder))
    typed(real, program, "bash", "scripts/report.sh", str(folder))
    asked: list[str] = []
    wrong: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.goto((folder / "index.html").as_uri())
    text = page.inner_text("body")
    assert wrong == [] and asked == [(folder / "index.html").as_uri()], "the page is broken, or is no page of its own"
    # 84 bytes of IP, and the Ethernet header before them.
    assert "cilium: 98 bytes in the frame, 0 of them the tunnel's" in text, "the packet is not the one on the wire"
    assert "native" in text and "Who talks to whom" in text and "cni-migration/probe" in text
    assert "quick, 1 pairs" in text and "new connections failed" in text
    assert (folder / "cilium.pcap").stat().st_size > 100, "nothing to open in Wireshark"
