"""Whether what was measured of the network is what its CNI promises. Pure; bytes are IP total lengths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from steps.findings.measured import Measured, Reach, Status
from steps.findings.promise import BARE_PING, Promise, promise_of
from steps.findings.wire import Pair

__all__ = ["Measured", "Pair", "Promise", "Reach", "Status", "Verdict", "judge", "promise_of"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The judgement. `why` is the sentence of a failed one, and empty otherwise. Values that differ among the probes
    are joined by a comma; a number or a truth of which there is not exactly one value is None. `reached` is of `pairs`:
    whether every probe of the one node reached the other's over TCP, None where that was not asked."""

    ok: bool
    cni: str
    encapsulation: str
    icmp_wire_bytes: int | None
    routing: str
    masquerading: str
    kube_proxy_replacement: bool | None
    services: bool | None
    dns: bool | None
    pairs: tuple[Pair, ...]
    reached: tuple[bool | None, ...]
    why: str

    @property
    def overhead_bytes(self) -> int | None:
        """Bytes that the encapsulation adds to a ping."""
        return None if self.icmp_wire_bytes is None else self.icmp_wire_bytes - BARE_PING

    def as_json(self) -> dict[str, Any]:
        """The verdict as the stack's output shows it."""
        return {
            "ok": self.ok,
            "cni": self.cni,
            "encapsulation": self.encapsulation,
            "icmpWireBytes": self.icmp_wire_bytes,
            "overheadBytes": self.overhead_bytes,
            "routing": self.routing,
            "masquerading": self.masquerading,
            "kubeProxyReplacement": self.kube_proxy_replacement,
            "services": self.services,
            "dns": self.dns,
            "pairs": [
                {
                    "from": pair.from_node,
                    "to": pair.to_node,
                    "packets": pair.packets,
                    "icmpWireBytes": pair.lengths[0] if len(pair.lengths) == 1 else _joined(_texts(pair.lengths)),
                    "encapsulation": _joined(_texts(pair.encapsulations)),
                    "reach": reached,
                }
                for pair, reached in zip(self.pairs, self.reached, strict=True)
            ],
        }


def judge(cni: str, measured: Measured, packets: int) -> Verdict:
    """Holds what was measured against the promise; each pair has to have got `packets` pings."""
    promise = promise_of(cni)
    pairs, reaches, statuses = measured.pairs, measured.reaches, measured.statuses
    found = {
        "encapsulation": _joined(text for pair in pairs for text in _texts(pair.encapsulations)),
        "icmpWireBytes": _joined(text for pair in pairs for text in _texts(pair.lengths)),
        "routing": _joined(status.routing for status in statuses),
        "kubeProxyReplacement": _joined(_text(status.kube_proxy_replacement) for status in statuses),
        "masquerading": _joined(status.masquerading for status in statuses),
        "services": _joined(_text(reach.services) for reach in reaches),
        "dns": _joined(_text(reach.dns) for reach in reaches),
    }
    expected = {
        "encapsulation": promise.encapsulation,
        "icmpWireBytes": str(promise.icmp_wire_bytes),
        "routing": promise.routing,
        "kubeProxyReplacement": _text(promise.kube_proxy_replacement),
        "masquerading": promise.masquerading,
        "services": _text(promise.services),
        "dns": _text(promise.dns),
    }
    wrong = [
        f"{key} {value} expected, {found[key] or 'nothing'} found"
        for key, value in expected.items()
        if value is not None and found[key] != value
    ]
    lost = any(pair.packets < packets for pair in pairs)
    reasons = losses(measured, packets)
    why = ""
    if wrong or reasons:
        told = "; ".join([", ".join(wrong) or ("packets were lost" if lost else "not every Pod is reached"), *reasons])
        why = f"the network is not what cni={cni} promises: {told}"
    length = found["icmpWireBytes"]
    return Verdict(
        ok=not why,
        cni=cni,
        encapsulation=found["encapsulation"],
        icmp_wire_bytes=int(length) if length.isdecimal() else None,
        routing=found["routing"],
        masquerading=found["masquerading"],
        kube_proxy_replacement=_truth(found["kubeProxyReplacement"]),
        services=_truth(found["services"]),
        dns=_truth(found["dns"]),
        pairs=tuple(pairs),
        reached=tuple(measured.reached(pair.from_node, pair.to_node) for pair in pairs),
        why=why,
    )


def losses(measured: Measured, packets: int) -> list[str]:
    """A sentence for everything that did not arrive, whichever CNI: pings, connections, and what the probes say."""
    lost = [
        f"{pair.from_node} to {pair.to_node}: {pair.packets} of {packets} pings arrived"
        for pair in measured.pairs
        if pair.packets < packets
    ]
    cut = [
        f"{reach.where}: no TCP to the Pod on {node}"
        for reach in measured.reaches
        for node, reached in reach.pods.items()
        if not reached
    ]
    return [*lost, *cut, *(reach.why for reach in measured.reaches if reach.why)]


def _joined(values: Iterable[str]) -> str:
    """Every different value in the order of appearance, with commas; what is empty says nothing."""
    return ",".join(dict.fromkeys(value for value in values if value))


def _texts(values: Sequence[object]) -> list[str]:
    """The values of one pair. A pair without a packet has `-`, so that the others do not speak for it."""
    return [str(value) for value in values] or ["-"]


def _text(truth: bool | None) -> str:
    return "none" if truth is None else str(truth).lower()


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)
