"""What the measuring tools say, as figures. Pure.

What is no whole answer is no sample: sockperf ends with 0 where it could not connect, iperf3 with `--json` says an
error as politely as a figure, and a closed loop over a broken path counts what came through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

GIGABYTE = 1e9


class NoSampleError(Exception):
    """A tool failed, was cut off or answered oddly, as the sentence that the user reads."""


class TooShortError(NoSampleError):
    """The tool worked, and on this machine came to too little in its time for the figures asked of it: `part` of what
    they need."""

    def __init__(self, why: str, part: float) -> None:
        super().__init__(why)
        self.part = part


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`values` by name, each in the unit its name says. `work` is what was carried meanwhile, by the unit that the CPU
    time is divided by (`gb`, `100k`). `seconds` is how long the tool itself says that it measured."""

    values: Mapping[str, float]
    seconds: float
    work: Mapping[str, float] = field(default_factory=dict[str, float])


Read = Callable[[str], Answer]


def positive(name: str, value: object) -> float:
    """`value` as a figure that a ratio can be made of."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise NoSampleError(f"{name} is {value!r}, and has to be a number above 0")
    return float(value)


def iperf3(text: str, *, at_least: float = 0.0) -> Answer:
    """`iperf3 --json`: what the receiver got, in Gbit/s. `at_least` in Gbit/s: a paced run that did not keep its rate
    was not paced."""
    answer = _json("iperf3", text)
    if "error" in answer:
        raise NoSampleError(f"iperf3: {answer['error']}")
    try:
        end = answer["end"]["sum_received"]
        got, seconds = end["bytes"], end["seconds"]
    except (KeyError, TypeError) as error:
        raise NoSampleError(f"iperf3's answer has no sum_received: {text[:200]!r}") from error
    gigabytes = positive("iperf3's bytes", got) / GIGABYTE
    length = positive("iperf3's seconds", seconds)
    gbits = gigabytes * 8 / length
    if gbits < at_least:
        raise NoSampleError(f"iperf3 was to keep a rate and came to {gbits:.2f} Gbit/s of {at_least:.2f}")
    return Answer(values={"gbits": gbits}, seconds=length, work={"gb": gigabytes})


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PERCENTILE = re.compile(r"---> percentile +([0-9.]+) = +([0-9.]+)")
_VALID = re.compile(r"\[Valid Duration\] RunTime=([0-9.]+) sec; SentMessages=([0-9]+); ReceivedMessages=([0-9]+)")
_TOTAL = re.compile(r"\[Total Run\] RunTime=[0-9.]+ sec; .*?SentMessages=([0-9]+); ReceivedMessages=([0-9]+)")
_BAD = re.compile(r"# (dropped|duplicated|out-of-order) messages = ([0-9]+)")
PERCENTILES = {"50.000": "p50", "90.000": "p90", "99.000": "p99", "99.900": "p999"}
# Of a thousand round trips one is beyond P99.9: with fewer than ten such it is the luck of a single one.
LEAST_ROUND_TRIPS = 10_000


def sockperf(text: str) -> Answer:
    """`sockperf ping-pong --full-rtt`: percentiles of whole round trips, in µs."""
    text = _COLOUR.sub("", text)
    if "ERROR" in text:
        raise NoSampleError(f"sockperf: {text[text.index('ERROR') :].splitlines()[0]}")
    if "Round trip is" not in text:
        raise NoSampleError(f"sockperf shows no whole round trips (--full-rtt): {text[-200:]!r}")
    valid, total = _VALID.search(text), _TOTAL.search(text)
    found = dict(_PERCENTILE.findall(text))
    if valid is None or total is None or not PERCENTILES.keys() <= found.keys():
        raise NoSampleError(f"sockperf was cut off: {text[-200:]!r}")
    bad = {kind: int(count) for kind, count in _BAD.findall(text)}
    if len(bad) != 3 or any(bad.values()):
        raise NoSampleError(f"sockperf lost or mixed up messages: {bad}")
    trips = int(valid[3])
    if trips < LEAST_ROUND_TRIPS:
        raise TooShortError(f"sockperf made {trips} round trips, too few for P99.9", trips / LEAST_ROUND_TRIPS)
    values = {name: positive(f"sockperf's {name}", float(found[key])) for key, name in PERCENTILES.items()}
    # The CPU was used for all of them, those of the warm-up included.
    return Answer(values=values, seconds=float(valid[1]), work={"100k": int(total[2]) / 100_000})


_AB = {
    "complete": re.compile(r"^Complete requests: +([0-9]+)$", re.MULTILINE),
    "failed": re.compile(r"^Failed requests: +([0-9]+)$", re.MULTILINE),
    "seconds": re.compile(r"^Time taken for tests: +([0-9.]+) seconds$", re.MULTILINE),
    "rate": re.compile(r"^Requests per second: +([0-9.]+) \[#/sec\] \(mean\)$", re.MULTILINE),
}


def ab(text: str) -> Answer:
    """`ab` without keep-alive: a connection a request, so its requests a second are connections a second."""
    found = {name: match[1] for name, pattern in _AB.items() if (match := pattern.search(text))}
    if len(found) != len(_AB):
        raise NoSampleError(f"ab did not come to its end: {text.strip()[-200:]!r}")
    # A refused one comes back at once: a path that fails would look fast.
    if int(found["failed"]) or "Non-2xx responses" in text:
        raise NoSampleError(f"{found['failed']} of ab's {found['complete']} requests failed, or were refused")
    if re.search(r"^Keep-Alive requests:", text, re.MULTILINE):
        raise NoSampleError("ab kept connections alive, so it did not count them")
    return Answer(
        values={"connects": positive("ab's rate", float(found["rate"]))},
        seconds=positive("ab's seconds", float(found["seconds"])),
        work={"100k": positive("ab's requests", int(found["complete"])) / 100_000},
    )


def ranks(text: str) -> Answer:
    """What rank 0 of bench/pods/ranks.py prints: a flat object of figures, and `seconds`."""
    answer = _json("the ranks", text)
    seconds = positive("the ranks' seconds", answer.pop("seconds", None))
    if not answer:
        raise NoSampleError("the ranks measured nothing")
    return Answer(values={name: positive(name, value) for name, value in answer.items()}, seconds=seconds)


def idle(text: str, *, seconds: float) -> Answer:
    """`sleep` for `seconds`, which says nothing: what an idle cluster costs is all in its CPU time a second."""
    if text.strip():
        raise NoSampleError(f"sleep is not expected to say {text[:100]!r}")
    return Answer(values={}, seconds=seconds, work={"second": seconds})


def _json(tool: str, text: str) -> dict[str, Any]:
    try:
        answer: object = json.loads(text)
    except ValueError as error:
        raise NoSampleError(f"{tool} gave no JSON, or was cut off: {text[:200]!r}") from error
    if not isinstance(answer, dict):
        raise NoSampleError(f"{tool} gave no object: {text[:200]!r}")
    return dict(answer)  # pyright: ignore[reportUnknownArgumentType]
