"""What tcpdump saw of the pings between two nodes. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

# A line with a time begins a packet, and its length is what was on the wire; a header without one is what a tunnel
# carried.
_OUTER = re.compile(r"[0-9:.]+ IP ")
_LENGTH = re.compile(r"length ([0-9]+)\)")
_TUNNELS = {".8472: ": "vxlan", ".4789: ": "vxlan", ".6081: ": "geneve"}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The pings of the probe on one node that were captured on another. `lengths` are the IP total lengths on the wire
    in bytes, `encapsulations` are of none, vxlan and geneve; both are sorted, unique, and empty without a packet."""

    from_node: str
    to_node: str
    packets: int
    lengths: tuple[int, ...]
    encapsulations: tuple[str, ...]


def pair_of(capture: str, *, from_node: str, to_node: str, source: str) -> Pair:
    """Reads the text of `tcpdump -nn -v` and counts the pings that came from the address `source`."""
    packets = 0
    lengths: set[int] = set()
    encapsulations: set[str] = set()
    length: int | None = None
    encapsulation: str | None = None
    for line in capture.splitlines():
        if _OUTER.match(line):
            found = _LENGTH.search(line)
            length = int(found[1]) if found else None
            encapsulation = "none"
        for port, tunnel in _TUNNELS.items():
            if port in line:
                encapsulation = tunnel
        if "ICMP echo request" not in line:
            continue
        words = line.split()
        hits = sum(word == source and after == ">" for word, after in pairwise(words))
        if hits:
            packets += hits
            lengths |= set() if length is None else {length}
            encapsulations |= set() if encapsulation is None else {encapsulation}
    return Pair(
        from_node=from_node,
        to_node=to_node,
        packets=packets,
        lengths=tuple(sorted(lengths)),
        encapsulations=tuple(sorted(encapsulations)),
    )
