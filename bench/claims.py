"""What the article says, as figures that can be held against a measurement. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`ratio` is Cilium's figure over Flannel's as the article has it, None where it names no size; `metric` is the one
    of the benchmark that answers it. `words` are the article's, `by_ours` says how far the metric is the same thing."""

    key: str
    words: str
    metric: str
    ratio: float | None
    more_is_better: bool
    by_ours: str


ARTICLE = (
    Claim(
        key="throughput",
        words="throughput 8.2 → 9.4 Gbit/s (+15 %)",
        metric="other-node/tcp-1/gbits",
        ratio=9.4 / 8.2,
        more_is_better=True,
        by_ours="iperf3, one stream, Pod to Pod on two nodes. The article does not say how many streams.",
    ),
    Claim(
        key="latency",
        words="latency P99 0.42 → 0.31 ms (-26 %)",
        metric="other-node/round-trip/p99",
        ratio=0.31 / 0.42,
        more_is_better=False,
        by_ours="sockperf, full round trips over TCP. The article does not say with what it was measured.",
    ),
    Claim(
        key="cpu",
        words="CPU 12 % → 5 % (-58 %)",
        metric="other-node/paced/cpu-per-gb",
        ratio=5 / 12,
        more_is_better=False,
        by_ours="CPU seconds of all nodes for each GB at one fixed rate, what idles in them included. The article does "
        "not say of what its 12 % and 5 % are shares, nor at which load; it adds that a real network would gain more.",
    ),
    Claim(
        key="all-reduce",
        words="«for AI training»: all-reduce gains by a network without encapsulation",
        metric="training/all-reduce-4MiB/bus-gbits",
        ratio=None,
        more_is_better=True,
        by_ours="all-reduce of 4 MiB by gloo between Pods on two nodes. The article announces it and has no figure.",
    ),
    Claim(
        key="training",
        words="«next»: training throughput of distributed PyTorch",
        metric="training/ddp/samples",
        ratio=None,
        more_is_better=True,
        by_ours="samples a second of a small model with DDP on gloo. The article announces it and has no figure.",
    ),
)
