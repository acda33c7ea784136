"""The flows that are open in a node's Pods when Cilium's programs go, and how each goes on. Pure.

What Cilium masquerades is in a map of its own: netfilter knows such a connection as one without a translation, or not
at all. What it does not know it takes for a new one when its next packet comes, and masquerades it, if it leads out of
the Pod network: to its peer that is another connection. Of UDP only what netfilter knows is open (open_flows.sh says
which of it): the rest is a new flow to it, and masquerading keeps a port that is free, as Cilium does.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import Any, NamedTuple, cast

from steps.running import StepError

_PROTOCOLS, _OUT = {6: "tcp", 17: "udp"}, 0
# An address and a port.
End = tuple[str, int]


class Ends(NamedTuple):
    """`protocol` is tcp or udp."""

    protocol: str
    source: End
    target: End


# What the peer of a flow knows it as.
Masked = Mapping[Ends, End]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One whose peer knows it as `seen_as`."""

    ends: Ends
    seen_as: End

    @property
    def row(self) -> str:
        """As programs_off.sh reads it."""
        ends = (self.ends.source, self.ends.target, self.seen_as)
        return " ".join([*(f"{address} {port}" for address, port in ends), self.ends.protocol])


def masqueraded(text: str) -> Masked:
    """What `cilium-dbg bpf nat list -o json` says of IPv4. Its numbers are the map's bytes: the network's order."""
    try:
        found: dict[Ends, End] = {}
        for item in cast("list[Mapping[str, Any]]", json.loads(text) or []):
            key, value = item["Key"], item["Value"]
            protocol = _PROTOCOLS.get(key["NextHeader"])
            if protocol and key["Flags"] == _OUT and len(key["SourceAddr"]) == 4:
                source, target = _end(key["SourceAddr"], key["SourcePort"]), _end(key["DestAddr"], key["DestPort"])
                found[Ends(protocol, source, target)] = _end(value["Addr"], value["Port"])
        return found
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise StepError(f"Cilium's map of masqueraded connections cannot be read: {text[:200]!r}") from error


def _end(address: Sequence[int], port: int) -> End:
    return str(IPv4Address(bytes(address))), int.from_bytes(int(port).to_bytes(2, "little"), "big")


@dataclass(frozen=True, kw_only=True)
class Known:
    """What open_flows.sh prints: `opened` by the Pods' own word, of UDP by netfilter's, True where the Pod is the
    server of it; `tracked` as netfilter knows it: what the peer's answers come from and go to."""

    opened: Mapping[Ends, bool]
    tracked: Mapping[Ends, Ends]


def known_from(text: str) -> Known:
    """Raises StepError for a line of another shape."""
    opened: dict[Ends, bool] = {}
    tracked: dict[Ends, Ends] = {}
    for line in text.splitlines():
        try:
            match line.split():
                case ["open", local, remote, ("client" | "server") as role]:
                    source, target = _socket_end(local), _socket_end(remote)
                    if source and target:
                        opened[Ends("tcp", source, target)] = role == "server"
                case ["tracked", ("tcp" | "udp") as protocol, a, b, a_port, b_port, c, d, c_port, d_port]:
                    ends = Ends(protocol, (a, int(a_port)), (b, int(b_port)))
                    tracked[ends] = Ends(protocol, (c, int(c_port)), (d, int(d_port)))
                    if protocol == "udp":
                        opened[ends] = False
                case _:
                    raise ValueError("no such line")
        except ValueError as error:
            raise StepError(f"it says {line[:200]!r}, which is no connection ({error})") from error
    return Known(opened=opened, tracked=tracked)


def _socket_end(text: str) -> End | None:
    """ADDRESS:PORT of ss; none for IPv6. A socket of both families has an IPv4 address inside an IPv6 one. Raises
    ValueError where it is no address and port."""
    address, _, port = text.rpartition(":")
    # [ADDRESS]%DEVICE:PORT where it is bound to a device.
    found = ip_address(address.replace("[", "").replace("]", "").partition("%")[0])
    inner = found.ipv4_mapped if isinstance(found, IPv6Address) else found
    return (str(inner), int(port)) if inner else None


@dataclass(frozen=True, kw_only=True)
class Masquerading:
    """What Cilium masqueraded on the node when its map was read: `masked` is the map, `seen` what was open then. Both
    are empty where there was no agent to read it. `by_rules`: not its programs do it, but netfilter."""

    masked: Masked
    seen: Collection[Ends]
    by_rules: bool


def going_over(
    known: Known, before: Masquerading, *, pod_subnet: str, own: str, peers: Collection[str]
) -> list[Flow]:  # fmt: skip
    """Those that Flannel's rules would break, or that netfilter does not know as their peer does. `own` is the node's
    address, `peers` are all nodes'. What leads out of both and was opened since the map was read is taken to have been
    masqueraded, and to have kept its port, as it does wherever the port is free."""
    pods = IPv4Network(pod_subnet)
    # Those that the peer has opened: netfilter has them the other way round.
    taken = set(known.tracked.values())
    found: list[Flow] = []
    for ends, is_server in known.opened.items():
        answers = known.tracked.get(ends)
        as_it_is = Ends(ends.protocol, ends.target, ends.source)
        if ends in taken or (answers is not None and answers != as_it_is):
            continue  # netfilter knows it as its peer does, and goes on
        if not _leads_out(ends, pods):
            continue  # no rule masquerades it
        outside = ends.target[0] not in peers
        seen_as = before.masked.get(ends, ends.source)
        if seen_as == ends.source and outside and not is_server and ends not in before.seen:
            if before.by_rules:
                continue  # its rules are gone with it, and nobody can say what they made of it
            seen_as = (own, ends.source[1])
        if seen_as != ends.source or answers is None:
            found.append(Flow(ends=ends, seen_as=seen_as))
    return found


def _leads_out(ends: Ends, pods: IPv4Network) -> bool:
    there = IPv4Address(ends.target[0])
    return IPv4Address(ends.source[0]) in pods and there not in pods and not (there.is_loopback or there.is_multicast)
