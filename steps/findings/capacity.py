"""Whether the other nodes have room for the Pods of a node that is drained, by their requests. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

# Exact, since a request may be a fraction of a milli and a sum of floats is none.
Amount = int | Fraction

_MEBIBYTE = 2**20
_SUFFIXES: dict[str, Fraction] = {
    **{
        suffix: Fraction(1000) ** power
        for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
    },
    **{suffix: Fraction(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}
# E is exa without digits behind it, and an exponent with them. Kubernetes caps a quantity at 2^63, so an exponent of
# more than two digits has no use, and its power would fill the memory.
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE]([+-]?[0-9]{1,2})|([numkMGTPE]?|[KMGTPE]i))")


@dataclass(frozen=True, kw_only=True)
class NodeRoom:
    """What a node has for Pods: its allocatable CPU in millicores and memory in bytes, and how many Pods it takes (the
    kubelet's maxPods, 110 where nobody has said otherwise). `usable`: a drained Pod may go there."""

    name: str
    usable: bool
    cpu_millis: Amount
    memory_bytes: Amount
    pods: Amount


@dataclass(frozen=True, kw_only=True)
class PodDemand:
    """What a Pod's containers request together: CPU in millicores and memory in bytes. `node` is None where it has
    none yet, `kind` is that of its controller, or any other text where it has none."""

    node: str | None
    kind: str
    cpu_millis: Amount
    memory_bytes: Amount

    @property
    def moves(self) -> bool:
        """A DaemonSet's Pods stay, and so do the static ones, which the Node owns."""
        return self.kind not in ("DaemonSet", "Node")


def quantity(text: str) -> Fraction:
    """The value of a Kubernetes quantity (500m, 1.5Gi, 16e9) in its base unit: cores, or bytes. Raises ValueError for
    anything else."""
    found = _QUANTITY.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no Kubernetes quantity")
    number, exponent, suffix = found.groups()
    return Fraction(number) * (Fraction(10) ** int(exponent) if exponent else _SUFFIXES[suffix])


def shortages(nodes: Sequence[NodeRoom], pods: Sequence[PodDemand], moved: Collection[str] = ()) -> list[str]:
    """A sentence for each node whose Pods the other usable nodes have no room for, all of them taken together. Those
    that have `moved` are not drained."""
    left = [node for node in nodes if node.name not in moved]
    return [sentence for node in left if (sentence := _shortage(node, nodes, pods))]


def _shortage(node: NodeRoom, nodes: Sequence[NodeRoom], pods: Sequence[PodDemand]) -> str:
    moving = [pod for pod in pods if pod.node == node.name and pod.moves]
    others = {other.name: other for other in nodes if other.name != node.name and other.usable}
    if not moving:
        return ""
    if not others:
        return f"node {node.name} has {len(moving)} Pods to drain, and there is no other node that takes Pods"
    staying = [pod for pod in pods if pod.node in others]
    left = int(sum(other.pods for other in others.values()) - len(staying))
    if len(moving) > left:
        return f"node {node.name} has {len(moving)} Pods to drain, and the other nodes take {left} more"
    cpu = sum(pod.cpu_millis for pod in moving)
    cpu_left = sum(other.cpu_millis for other in others.values()) - sum(pod.cpu_millis for pod in staying)
    if cpu > cpu_left:
        figures = f"{int(cpu)}m of CPU, and the other nodes have {int(cpu_left)}m left"
        return f"node {node.name}: its Pods ask for {figures}"
    memory = sum(pod.memory_bytes for pod in moving)
    memory_left = sum(other.memory_bytes for other in others.values()) - sum(pod.memory_bytes for pod in staying)
    if memory > memory_left:
        figures = f"{_mebibytes(memory)} MiB of memory, and the other nodes have {_mebibytes(memory_left)} MiB left"
        return f"node {node.name}: its Pods ask for {figures}"
    return ""


def _mebibytes(amount: Amount) -> int:
    """Cut off towards zero."""
    return int(Fraction(amount) / _MEBIBYTE)
