"""The benchmark for real. One pair proves no figure; it proves that each tool measures what its name says and that
everything is gone afterwards."""

from __future__ import annotations

import pytest

from bench.results import Results
from bench.workloads import workloads
from e2e.measured import NAMES
from e2e.real import run

pytestmark = pytest.mark.e2e


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
