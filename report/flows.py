"""Hubble's flows, summed up: who talks to whom, over what, and what became of it. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Flows of one kind and how many there were. `port` is empty where the protocol has none."""

    source: str
    target: str
    protocol: str
    port: str
    verdict: str
    count: int


def flows(lines: Iterable[str]) -> Sequence[Flow]:
    """The lines of `hubble observe --output jsonpb`, the most frequent first. Replies are left out: they are the same
    conversation. So are a socket's own events, which come before a Service's address is translated. Raises ValueError
    with the line's number where one is no flow."""
    counted: Counter[tuple[str, str, str, str, str]] = Counter()
    workloads: dict[tuple[str, str], str] = {}
    found: list[Mapping[str, Any]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item: dict[str, Any] = json.loads(line)
            flow: dict[str, Any] | None = item.get("flow")
        except (ValueError, AttributeError) as error:
            raise ValueError(f"line {number} is no flow of Hubble: {error}") from error
        if flow is None:
            continue
        for which in ("source", "destination"):
            end: Mapping[str, Any] = flow.get(which) or {}
            # Only the Pod's own node names its workload.
            if end.get("workloads") and end.get("pod_name"):
                workloads[end.get("namespace", ""), end["pod_name"]] = end["workloads"][0]["name"]
        if not flow.get("is_reply") and flow.get("Type") != "SOCK":
            found.append(flow)
    for one in found:
        protocol, port = _over(one.get("l4") or {})
        ends = (_end(one, "source", workloads), _end(one, "destination", workloads))
        counted[*ends, protocol, port, str(one.get("verdict", "UNKNOWN"))] += 1
    return [
        Flow(source=source, target=target, protocol=protocol, port=port, verdict=verdict, count=count)
        for (source, target, protocol, port, verdict), count in counted.most_common()
    ]


def _end(flow: Mapping[str, Any], which: str, workloads: Mapping[tuple[str, str], str]) -> str:
    end: Mapping[str, Any] = flow.get(which) or {}
    own: Sequence[Mapping[str, str]] = end.get("workloads") or ()
    namespace, pod = end.get("namespace", ""), end.get("pod_name", "")
    name = own[0]["name"] if own else workloads.get((namespace, pod), pod)
    if name:
        return f"{namespace}/{name}"
    reserved = [label.removeprefix("reserved:") for label in end.get("labels", ()) if label.startswith("reserved:")]
    names: Sequence[str] = flow.get(f"{which}_names") or ()
    return names[0] if names else ", ".join(reserved) or "unknown"


def _over(l4: Mapping[str, Any]) -> tuple[str, str]:
    for protocol, ports in l4.items():
        return protocol, str(ports.get("destination_port", ""))
    return "-", ""
