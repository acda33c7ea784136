"""Whether a cluster on two CNIs does what is promised of it so far: each node what its own CNI says, and packets
between nodes without a tunnel, whichever CNI they have, since all nodes have direct routes by then. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from steps.findings.promise import BARE_PING, promise_of
from steps.findings.verdict import Measured, Verdict, judge, losses


def judge_mixed(cni: str, owners: Mapping[str, str], measured: Measured, packets: int) -> Verdict:
    """Holds what was measured against the promise of each node's CNI, by `owners`; `cni` is the one that comes. Each
    pair has to have got `packets` pings. Values that differ among the nodes are joined, as they are in any verdict."""
    wrong = [*_wire(measured), *(line for status in _said(owners, measured) for line in status), *_asked(measured)]
    reasons = [*wrong, *losses(measured, packets)]
    why = f"the network is not what a pause on the way to {cni} promises: {'; '.join(reasons)}" if reasons else ""
    return replace(judge(cni, measured, packets), ok=not why, why=why)


def _wire(measured: Measured) -> Iterable[str]:
    for pair in measured.pairs:
        if tuple(pair.encapsulations) != ("none",) or tuple(pair.lengths) != (BARE_PING,):
            found = f"{_text(pair.encapsulations)}, {_text(pair.lengths)} bytes"
            yield f"{pair.from_node} to {pair.to_node}: none, {BARE_PING} bytes expected, {found} found"


def _said(owners: Mapping[str, str], measured: Measured) -> Iterable[list[str]]:
    for status in measured.statuses:
        promise = promise_of(owners[status.node])
        pairs = {
            "routing": (promise.routing, status.routing),
            "kubeProxyReplacement": (promise.kube_proxy_replacement, status.kube_proxy_replacement),
            "masquerading": (promise.masquerading or status.masquerading, status.masquerading),
        }
        yield [
            f"{status.node} ({owners[status.node]}): {key} {_word(wanted)} expected, {_word(found)} found"
            for key, (wanted, found) in pairs.items()
            if wanted != found
        ]


def _asked(measured: Measured) -> Iterable[str]:
    for reach in measured.reaches:
        for key, fine in (("services", reach.services), ("dns", reach.dns)):
            if not fine:
                yield f"{reach.where}: no {key}"


def _text(values: Iterable[object]) -> str:
    return ",".join(str(value) for value in values) or "nothing"


def _word(value: object) -> str:
    return "nobody" if value is None else str(value).lower() or "nothing"
