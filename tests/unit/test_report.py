"""The report: what the capture, the outputs, the benchmark and the flows say, on one page that asks nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.utils import wrpcap

from bench import results
from bench.results import Measure, Migration, Pair, Run, Seen
from report.__main__ import main
from report.flows import flows
from report.packet import CaptureError, decoded

LIMIT = 1_500_000
PING = IP(src="10.244.1.2", dst="10.244.2.2") / ICMP() / (b"x" * 56)
KIND = {
    "requests": 100, "failures": 0, "longestGapSeconds": 0.2, "starvedSeconds": 0.0, "slowestSeconds": 0.1,
    "connectionsBroken": 0,
}  # fmt: skip
OUTPUT = {
    "verification": {
        **dict.fromkeys(("cni", "encapsulation", "routing", "masquerading"), "none"), "icmpWireBytes": 84,
        "overheadBytes": 0, "kubeProxyReplacement": True, "services": True, "dns": True, "pairs": [{}] * 6,
    },
    "interruption": {
        "measured": True, "strategy": "recreate", "withinBudget": True, "why": "", **KIND, "failures": 42,
        "kinds": {}, "basis": {},
        "steps": [
            {"step": "the old CNI goes", "seconds": 20.5, "kinds": {"pod": {**KIND, "failures": 42}}},
            {"step": "the new CNI comes", "seconds": 30.0, "kinds": {"pod": KIND}},
        ],
    }
}  # fmt: skip


def flow(source: str, target: str, verdict: str = "FORWARDED", **more: object) -> str:
    ends = {
        "source": {"namespace": "shop", "pod_name": source},
        "destination": {"namespace": "shop", "workloads": [{"name": target}]},
    }
    return json.dumps({"flow": {**ends, "verdict": verdict, "l4": {"TCP": {"destination_port": 80}}, **more}})


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("f.pcap", "c.pcap", "f.json", "c.json", "b.jsonl", "m.jsonl", "flows")}
    tunnel = IP(src="172.18.0.2", dst="172.18.0.3") / UDP(dport=8472) / VXLAN(vni=1)
    wrpcap(str(found["f.pcap"]), [Ether() / tunnel / Ether() / PING])
    wrpcap(str(found["c.pcap"]), [Ether() / PING])
    for name in ("f.json", "c.json"):
        found[name].write_text(json.dumps(OUTPUT))
    lines = [flow("web", "db"), flow("web", "db"), flow("<script>", "db", "DROPPED"), flow("db", "web", is_reply=True)]
    found["flows"].write_text("\n".join([*lines, flow("web", "world", "TRACED", Type="SOCK")]))
    run = Run(
        schema=1, mode="quick", pairs=3, seed=1, indicative=True, began="2026", settings={}, machine={}, versions={},
        clusters={},
    )  # fmt: skip
    results.begin(found["b.jsonl"], run)
    for turn in range(3):
        for test, value in (("other-node/tcp-1", "gbits"), ("other-node/round-trip", "p99")):
            for comparison, sides in (("pair", ("flannel", "cilium")), ("control", ("cilium", "cilium"))):
                pair = Pair(
                    turn=turn, test=test, comparison=comparison, numerator=1, attempt=1, kept=True, stolen=False,
                    measures=tuple(
                        Measure(
                            side=side, began="", seconds=1, steal=0,
                            values={value: (8 + turn / 10 * n) * (1 + n * (side != sides[0]) / 4)},
                        )
                        for n, side in enumerate(sides)
                    ),
                )  # fmt: skip
                results.append(found["b.jsonl"], pair)
    results.begin(found["m.jsonl"], run)
    seen = Seen(requests=1000, failures=3, longest_gap_seconds=9.0)
    one = Migration(number=0, way="by hand", place=0, began="", seconds=50, seen=seen)
    results.append(found["m.jsonl"], one)
    return found


def arguments(folder: Path, inputs: dict[str, Path]) -> list[str]:
    options = {
        "flannel-pcap": "f.pcap", "cilium-pcap": "c.pcap", "flannel": "f.json", "cilium": "c.json", "bench": "b.jsonl",
        "flows": "flows", "migrations": "m.jsonl",
    }  # fmt: skip
    return [str(folder), *(f"--{option}={inputs[name]}" for option, name in options.items())]


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


def test_what_is_missing_is_said_on_the_page(tmp_path: Path) -> None:
    assert main([str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "index.html").read_text().count('class="missing"') == 5


def test_an_input_that_is_no_input_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "out"), f"--bench={tmp_path / 'none'}"]) == 1
    assert "cannot be read" in capsys.readouterr().err
