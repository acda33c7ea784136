"""The inverse of the clean-up's table: nothing of the other CNI may be on a node, and what the own one needs has to be.
Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from pipeline.drift_facts import Left, NodeFacts
from pipeline.drift_nodes import agents_of
from pipeline.drift_promise import Promise
from pipeline.drift_report import Finding, Kind
from steps.residue import Owner, Residue, residue

# What belongs to nobody who has the cluster, by who has it.
_FOREIGN: dict[str, tuple[Owner, ...]] = {
    "cilium": ("flannel", "kube-proxy", "rolling"),
    "flannel": ("cilium", "rolling"),
}
# Rows of the own CNI without which a node has no network for new Pods, or none at all, as KIND WHAT.
NEEDED: dict[str, tuple[str, ...]] = {
    "cilium": ("path /etc/cni/net.d/05-cilium.conflist", "path /opt/cni/bin/cilium-cni", "link cilium_*"),
    "flannel": (
        "path /etc/cni/net.d/10-flannel.conflist",
        "path /opt/cni/bin/flannel",
        "path /run/flannel",
        "link flannel.1",
        "chains FLANNEL-",
        "chains KUBE-",
    ),
}
_KINDS: dict[str, Kind] = {
    "link": "link",
    "chains": "chains",
    "nft-table": "chains",
    "rule": "rule",
    "table": "rule",
    "sysctls": "sysctl",
    "tc": "program",
    "process": "program",
}
_NAMED = 3  # items of a row that are told in full


def rows_for(promise: Promise) -> tuple[Residue, ...]:
    """What each node is asked for. Not routes, which drift_wires.py knows better: what each peer's should be."""
    foreign = residue(promise.pod_subnet, _FOREIGN[promise.cni])
    own = residue(promise.pod_subnet, ("flannel", "kube-proxy") if promise.cni == "flannel" else ("cilium",))
    needed = [row for row in own if f"{row.kind} {row.what}" in NEEDED[promise.cni]]
    return tuple([row for row in foreign if row.kind != "routes"] + needed)


def residue_findings(promise: Promise, facts: NodeFacts, peers: Sequence[str]) -> Iterator[Finding]:
    """What is left over, a finding a row, and what is missing. `peers` are the addresses of the cluster's nodes."""
    needed = NEEDED[promise.cni]
    reasons = {f"{row.kind} {row.what}": row.why for row in rows_for(promise)}
    found: dict[str, list[Left]] = {
        row: list(lines) for row, lines in groupby(facts.left, lambda it: f"{it.kind} {it.what}")
    }
    for row, lines in found.items():
        # A conflist is told as what it is to the runtime, by drift_wires.py; what Cilium renamed is none.
        if row in needed or _is_conflist(lines[0]):
            continue
        yield Finding(
            kind=_kind(lines[0]),
            where=facts.name,
            says=f"{_items(lines)} of another network is there: {reasons[row]}",
            remedy=f"printf '%s\\n' '{row}' | docker exec --interactive {facts.name} env PEERS='{' '.join(peers)}' "
            f'bash -c "$(cat steps/on_node/clean.sh)"',
        )
    for row in needed:
        if row not in found:
            agents = agents_of(promise.cni)
            agent = agents[-1] if "KUBE-" in row else agents[0]
            yield Finding(
                kind="missing",
                where=facts.name,
                says=f"{row.partition(' ')[2]} is not there, which {agent.name} makes when it starts",
                remedy=f"kubectl --namespace={agent.namespace} delete pod --selector={agent.selector} "
                f"--field-selector=spec.nodeName={facts.name}",
            )


def _is_conflist(line: Left) -> bool:
    return line.kind == "path" and line.item.startswith("/etc/cni/net.d/") and not line.item.endswith(".cilium_bak")


def _kind(line: Left) -> Kind:
    if line.kind == "path" and line.item.startswith("/etc/cni/net.d/"):
        return "conflist"
    return _KINDS.get(line.kind, "file")


def _items(lines: Sequence[Left]) -> str:
    told = ", ".join(f"{line.kind} {line.item}" for line in lines[:_NAMED])
    return told + (f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else "")
