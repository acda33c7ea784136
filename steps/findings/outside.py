"""What somebody outside of the cluster saw of a migration, by the node ports. Pure.

It is told beside the budget and not judged by it: who comes from outside depends on each node by itself, and `live`
names before it begins what breaks there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from steps.findings.coverage import coverage
from steps.findings.interruption import kind_of, sum_of
from steps.findings.lines import in_order
from steps.findings.recording import HELD, Recording
from steps.findings.report import Kind
from steps.findings.starvation import Starvation
from steps.names import TRAFFIC_OUTSIDE

_NEW = "service"


def outside_of(lines: Sequence[str], *, steps: Iterable[str], inside: Iterable[str], max_gap_ms: int) -> dict[str, Any]:
    """The sums as JSON, with those of each node by whose port it was asked, and the steps in which something failed or
    broke; `why` alone where the record is not whole. `steps` and `inside` are the lines of the recording in the
    cluster."""
    marks = [line for line in steps if line.split(" ", 2)[1:2] == ["step"]]
    asked = [f"{mark.split()[0]} prober {TRAFFIC_OUTSIDE}" for mark in marks[:1]]
    covered = coverage({"the container": lines}, steps=[*marks, *asked], max_gap_ms=max_gap_ms)
    if covered.why:
        return {"why": covered.why}
    # The servers inside are those that are asked from outside, too, and may have no CPU.
    starvation = Starvation(in_order([*inside, *lines]))
    nodes = {node: Recording([*marks, *own], starvation) for node, own in sorted(_by_node(lines).items())}
    if not nodes:
        return {"why": "no request was recorded"}
    names = next(iter(nodes.values())).names
    of_nodes = {node: [_step(one, index) for index in range(len(names))] for node, one in nodes.items()}
    of_steps = [sum_of(parts) for parts in zip(*of_nodes.values(), strict=True)]
    return {
        **sum_of(of_steps).as_json(),
        "nodes": {
            node: {**sum_of(parts).as_json(), "causes": _causes(nodes[node]), "echoes": nodes[node].held[node].requests}
            for node, parts in of_nodes.items()
        },
        "steps": [
            {"step": name, "failures": one.failures, "connectionsBroken": one.connections_broken}
            for name, one in zip(names, of_steps, strict=True)
            if one.failures or one.connections_broken
        ],
    }


def _by_node(lines: Iterable[str]) -> dict[str, list[str]]:
    """The lines about each node, which is their target."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        words = line.split()
        if len(words) == 6 and words[2] in (_NEW, HELD):
            found[words[3]].append(line)
    return found


def _step(recording: Recording, index: int) -> Kind:
    return sum_of([kind_of(recording.tally(index, kind)) for kind in (_NEW, HELD)])


def _causes(recording: Recording) -> list[str]:
    """Why new connections failed, each once, in the order of appearance."""
    tallies = [recording.tally(index, _NEW) for index in range(len(recording.names))]
    return list(dict.fromkeys(cause for tally in tallies for cause in tally.causes))
