"""Whether everything was measured that a verdict speaks of: what nobody measured would pass for good. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TypeVar

from steps.findings.verdict import Measured, Verdict
from steps.names import PROBE, PROBE_HOST
from steps.running import StepError

Result = TypeVar("Result")
NETWORKS = (PROBE, PROBE_HOST)
UNASKED = "it was not asked"


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A measurement that gave no answer."""

    why: str


def attempt(task: Callable[[], Result]) -> Callable[[], Result | Failed]:
    """`task` as one that says why it failed, so that the others are made and named too."""

    def made() -> Result | Failed:
        try:
            return task()
        except StepError as error:
            return Failed(why=str(error))

    return made


def incomplete(
    nodes: Sequence[str],
    measured: Measured,
    *,
    answered: Mapping[tuple[str, str], int],
    pings: int,
    reasons: Mapping[str, str],
) -> list[str]:
    """A sentence for everything that was not measured on `nodes`, all of the cluster's, and for each pair of which less
    than `pings` were answered. `reasons` has why, by `NODE probe`, `NODE probe-host` or `NODE`, for the CNI."""
    asked = {reach.where for reach in measured.reaches}
    known = {status.node for status in measured.statuses}
    captured = {(pair.from_node, pair.to_node) for pair in measured.pairs}
    sentences: list[str] = []
    for node in nodes:
        for app in NETWORKS:
            where = f"{node} {app}"
            if where not in asked:
                sentences.append(f"{node}: the probe gave no answer: {app}: {reasons.get(where, UNASKED)}")
        if node not in known:
            sentences.append(f"{node}: the CNI gave no answer: {reasons.get(node, UNASKED)}")
    for pair in permutations(nodes, 2):
        between = f"{pair[0]} to {pair[1]}"
        if pair not in captured:
            sentences.append(f"{between}: nothing was captured")
        if pair not in answered:
            sentences.append(f"{between}: no pings were sent")
        elif answered[pair] < pings:
            sentences.append(f"{between}: {answered[pair]} of {pings} pings were answered")
    return sentences


def sentence(verdict: Verdict, also: Sequence[str]) -> str:
    """What is wrong, by the verdict and besides; empty where nothing is."""
    if verdict.ok and not also:
        return ""
    begin = verdict.why or f"the network is not what cni={verdict.cni} promises: packets were lost, or nobody measured"
    return "; ".join([begin, *also])
