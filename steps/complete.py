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
        if measured.reached(*pair) is None and not {f"{pair[0]} {app}" for app in NETWORKS} - asked:
            sentences.append(f"{between}: no TCP was tried")
        if pair not in captured:
            sentences.append(f"{between}: nothing was captured")
        if pair not in answered:
            sentences.append(f"{between}: no pings were sent")
        elif answered[pair] < pings:
            sentences.append(f"{between}: {answered[pair]} of {pings} pings were answered")
    return sentences


Basis = dict[str, dict[str, int]]


def basis(nodes: Sequence[str], measured: Measured, *, answered: Mapping[tuple[str, str], int], pings: int) -> Basis:
    """How much a verdict of `nodes` rests on: of the pairs, the probes and the CNI's agents, how many were to be asked
    and how many answered, a pair all of its pings."""
    whole = sum(answered.get(pair, 0) >= pings for pair in permutations(nodes, 2))
    return {
        "pairs": {"asked": len(nodes) * (len(nodes) - 1), "answered": whole},
        "probes": {"asked": len(nodes) * len(NETWORKS), "answered": len({reach.where for reach in measured.reaches})},
        "agents": {"asked": len(nodes), "answered": len({status.node for status in measured.statuses})},
    }


def told(rests_on: Basis) -> str:
    """The basis as a sentence ends with it."""
    parts = (f"{of['answered']} of {of['asked']} {what}" for what, of in rests_on.items())
    return f"answered by {', '.join(parts)}"


def sentence(verdict: Verdict, also: Sequence[str]) -> str:
    """What is wrong, by the verdict and besides; empty where nothing is."""
    if verdict.ok and not also:
        return ""
    begin = verdict.why or f"the network is not what cni={verdict.cni} promises: packets were lost, or nobody measured"
    return "; ".join([begin, *also])
