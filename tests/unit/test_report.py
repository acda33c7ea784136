"""The report: what the capture, the outputs, the benchmark and the flows say, on one page that asks nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from bench import results
from report.__main__ import best, main
from report.flows import flows
from report.packet import CaptureError, decoded
from report.parts import interruption
from unit.conftest import arguments

LIMIT = 1_500_000


def test_every_header_is_there_with_its_bytes(inputs: dict[str, Path]) -> None:
    before, after = decoded(inputs["f.pcap"]), decoded(inputs["c.pcap"])
    assert [(part.name, part.size) for part in after] == [("Ethernet", 14), ("IPv4", 20), ("ICMP", 8), ("data", 56)]
    assert [part.size for part in before] == [14, 20, 8, 8, 14, 20, 8, 56]
    assert sum(part.size for part in before if part.outer) == 50, "the article's 50 bytes are not seen as the tunnel's"
    assert not any(part.outer for part in after)
    assert [part.start for part in before] == [0, 14, 34, 42, 50, 64, 84, 92]


def test_a_capture_that_shows_nothing_is_said_to(tmp_path: Path, inputs: dict[str, Path]) -> None:
    wrpcap(str(tmp_path / "none.pcap"), [Ether() / IP() / UDP()])
    with pytest.raises(CaptureError, match="no echo request"):
        decoded(tmp_path / "none.pcap")
    with pytest.raises(CaptureError, match="cannot be read"):
        decoded(inputs["flows"])


def test_flows_are_counted_without_their_replies(inputs: dict[str, Path]) -> None:
    found = flows(inputs["flows"].read_text().splitlines())
    assert [(one.source, one.target, one.port, one.verdict, one.count) for one in found] == [
        ("shop/web", "shop/db", "80", "FORWARDED", 2),
        ("shop/<script>", "shop/db", "80", "DROPPED", 1),
    ]
    with pytest.raises(ValueError, match="line 2"):
        flows(["", "no json"])


def test_a_pod_that_another_node_names_is_its_workload_as_well() -> None:
    def end(name: str, **more: object) -> dict[str, object]:
        return {"namespace": "shop", "pod_name": name, **more}

    there = {"source": end("web-1"), "destination": end("db-1", workloads=[{"name": "db"}]), "verdict": "FORWARDED"}
    here = {"source": end("web-1", workloads=[{"name": "web"}]), "destination": end("db-1"), "verdict": "FORWARDED"}
    found = flows([json.dumps({"flow": each}) for each in (there, here)])
    assert [(one.source, one.target, one.count) for one in found] == [("shop/web", "shop/db", 2)], "a map of Pods"


def test_the_page_is_one_file_and_small(tmp_path: Path, inputs: dict[str, Path]) -> None:
    folder = tmp_path / "out"
    assert main(arguments(folder, inputs)) == 0
    text = (folder / "index.html").read_text()
    assert sorted(file.name for file in folder.iterdir()) == ["cilium.pcap", "flannel.pcap", "index.html"]
    assert len(text.encode()) < LIMIT, "the page does not fit into a mail"
    assert "<script" not in text, "a Pod's name became markup, or the page runs something"
    for fact in (
        "pairs of nodes measured",
        "50 of them the tunnel",
        "9.0 to 9.0",
        "42 of 100 new connections failed",
        "the new CNI comes",
        "confirmed",
        "DROPPED",
    ):
        assert fact in text, f"who reads the page does not learn: {fact}"


def test_what_was_seen_from_outside_is_on_the_page() -> None:
    cost: dict[str, object] = {
        "measured": True,
        "strategy": "live",
        "failures": 0,
        "requests": 9,
        "longestGapSeconds": 0.4,
        "steps": [],
    }

    def text(outside: dict[str, object]) -> str:
        return " ".join(interruption("cilium", {**cost, "connectionsBroken": 0, "outside": outside}).text)

    assert "1 of 7 new connections by node ports failed, 3 held ones broke" in text(
        {"failures": 1, "requests": 7, "connectionsBroken": 3}
    )
    assert "From outside: not known: it went" in text({"why": "it went"}), "nothing seen would pass for calm"
    assert "outside" not in text({}), "who did not ask for it would wonder"


def test_what_is_missing_is_said_on_the_page(tmp_path: Path) -> None:
    assert main([str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "index.html").read_text().count('class="missing"') == 5


def test_an_input_that_is_no_input_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "out"), f"--bench={tmp_path / 'none'}"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_quick_benchmark_does_not_take_the_place_of_one_in_full(inputs: dict[str, Path]) -> None:
    full = results.load(inputs["b.jsonl"])
    quick = replace(full, pairs=full.pairs[:2], run=replace(full.run, began="2027"))
    assert best([full, quick], migration=False) is full
    assert best([full, quick], migration=True) is None, "a benchmark would be shown as a migration"


def test_a_capture_without_a_ping_leaves_the_rest_of_the_page(tmp_path: Path, inputs: dict[str, Path]) -> None:
    wrpcap(str(inputs["f.pcap"]), [Ether() / IP() / UDP()])
    assert main(arguments(tmp_path / "out", inputs)) == 0, "one packet would cost the whole page, for good"
    text = (tmp_path / "out" / "index.html").read_text()
    assert "holds no echo request" in text and "cilium: 98 bytes" in text
