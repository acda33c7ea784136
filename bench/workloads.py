"""What is measured: each test with its client, its tool and what the tool's answer means. Pure.

A path is who talks to whom: Pod to Pod on two nodes, on one node, and host to host, which is the limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bench import answers
from bench.answers import Read

IPERF3, SOCKPERF, HTTP = 5201, 11111, 8088
# Gbit/s. Far below what either network can carry, so that both carry the same and the CPU time can be compared.
PACE = 2.0
# Bytes of a segment that fit into the smaller of the two MTUs: with it both networks send the same packets.
EQUAL_MSS = 1300
# Seconds that a client may take beyond those that it measures for, before it is ended and no sample.
GRACE = 10
CLIENT, NEAR, FAR, HOST_CLIENT, HOST_FAR = "client", "near", "far", "host-client", "host-far"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """`command` is run for `seconds` in the Pod `client` and talks to `server`; ADDRESS and SECONDS stand for both in
    it. `ranks` names the network device of the collective one instead, whose second rank is in the Pod `server`.
    `controlled` tests have a control."""

    name: str
    client: str
    server: str
    command: Sequence[str]
    read: Read
    seconds: int
    ranks: str = ""
    controlled: bool = True


def workloads(seconds: int, *, training: bool) -> list[Workload]:
    """All tests, each measured for `seconds`; those of the training need an image of their own."""
    found = [
        *_path(
            "other-node", CLIENT, FAR, seconds, ("tcp-1", "tcp-8", "tcp-1-equal-mss", "paced", "round-trip", "connect")
        ),
        *_path("same-node", CLIENT, NEAR, seconds, ("tcp-1", "round-trip")),
        *_path("host", HOST_CLIENT, HOST_FAR, seconds, ("tcp-1", "round-trip")),
        Workload(
            name="idle",
            client=CLIENT,
            server=FAR,
            command=["sleep", "SECONDS"],
            read=partial(answers.idle, seconds=seconds),
            seconds=seconds,
        ),
    ]
    return [*found, *_training(seconds)] if training else found


def _path(path: str, client: str, server: str, seconds: int, kinds: Sequence[str]) -> list[Workload]:
    return [
        Workload(name=f"{path}/{kind}", client=client, server=server, command=command, read=read, seconds=seconds)
        for kind in kinds
        for command, read in [_tool(kind)]
    ]


def _tool(kind: str) -> tuple[Sequence[str], Read]:
    iperf3 = ["iperf3", "--client", "ADDRESS", "--port", str(IPERF3), "--time", "SECONDS", "--json"]
    tools: dict[str, tuple[Sequence[str], Read]] = {
        "tcp-1": (iperf3, answers.iperf3),
        "tcp-8": ([*iperf3, "--parallel", "8"], answers.iperf3),
        "tcp-1-equal-mss": ([*iperf3, "--set-mss", str(EQUAL_MSS)], answers.iperf3),
        "paced": ([*iperf3, "--bitrate", f"{PACE:g}G"], partial(answers.iperf3, at_least=0.9 * PACE)),
        "round-trip": (
            ["sockperf", "ping-pong", "--tcp", "-i", "ADDRESS", "-p", str(SOCKPERF), "-t", "SECONDS", "--full-rtt"],
            answers.sockperf,
        ),
        # -n behind -t: -t alone stops at 50,000 requests, which a fast path has done before its time is up.
        "connect": (
            ["ab", "-q", "-c", "4", "-t", "SECONDS", "-n", "10000000", f"http://ADDRESS:{HTTP}/"],
            answers.ab,
        ),
    }
    return tools[kind]


def _training(seconds: int) -> list[Workload]:
    """All-reduce and data-parallel training, by two ranks on two nodes; and the same ranks on one node's loopback,
    which is what they cost without any network."""
    return [
        Workload(
            name=name, client="rank-0", server=server, command=[], read=answers.ranks, seconds=seconds, ranks=device,
            controlled=device == "eth0",
        )
        for name, server, device in (("training", "rank-1", "eth0"), ("loopback", "rank-0", "lo"))
    ]  # fmt: skip
