"""What the report's tests share: one input of each kind, small, and as the tools write it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.utils import wrpcap

from bench import results
from bench.order import Side
from bench.results import Comparison, Measure, Migration, Pair, Run, Seen

PING = IP(src="10.244.1.2", dst="10.244.2.2") / ICMP() / (b"x" * 56)
KIND = {
    "requests": 100, "failures": 0, "longestGapSeconds": 0.2, "starvedSeconds": 0.0, "slowestSeconds": 0.1,
    "connectionsBroken": 0,
}  # fmt: skip
OUTPUT: dict[str, Any] = {
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
        schema=1, mode="quick", pairs=3, seed=1, indicative=True, began="2026", project="abc", settings={},
        machine={}, versions={}, clusters={},
    )  # fmt: skip
    results.begin(found["b.jsonl"], run)
    compared: dict[Comparison, tuple[Side, Side]] = {"pair": ("flannel", "cilium"), "control": ("cilium", "cilium")}
    for turn in range(3):
        for test, value in (("other-node/tcp-1", "gbits"), ("other-node/round-trip", "p99")):
            for comparison, sides in compared.items():
                first, second = (
                    Measure(
                        side=side, began="", seconds=1, steal=0,
                        values={value: (8 + turn / 10 * n) * (1 + n * (side != sides[0]) / 4)},
                    )
                    for n, side in enumerate(sides)
                )  # fmt: skip
                pair = Pair(
                    turn=turn, test=test, comparison=comparison, numerator=1, attempt=1, kept=True, stolen=False,
                    measures=(first, second),
                )  # fmt: skip
                results.append(found["b.jsonl"], pair)
    results.begin(found["m.jsonl"], replace(run, mode="migration"))
    seen = Seen(requests=1000, failures=3, longest_gap_seconds=9.0)
    one = Migration(number=0, way="by hand", place=0, began="", seconds=50, seen=seen)
    results.append(found["m.jsonl"], one)
    return found


def arguments(folder: Path, inputs: dict[str, Path]) -> list[str]:
    """`python -m report` with everything."""
    options = {
        "flannel-pcap": "f.pcap", "cilium-pcap": "c.pcap", "flannel": "f.json", "cilium": "c.json",
        "flows": "flows",
    }  # fmt: skip
    given = [f"--{option}={inputs[name]}" for option, name in options.items()]
    return [str(folder), *given, "--bench", str(inputs["b.jsonl"]), str(inputs["m.jsonl"])]
