"""The packet on the wire, header by header, decoded from a capture by scapy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scapy.compat import raw
from scapy.error import Scapy_Exception
from scapy.layers.inet import ICMP
from scapy.layers.vxlan import VXLAN  # Its import makes scapy read UDP 8472 and 4789 as VXLAN.
from scapy.packet import Packet, Padding
from scapy.utils import rdpcap

# As the page names them; what is not here keeps scapy's name.
NAMES = {"Ether": "Ethernet", "IP": "IPv4", "Raw": "data"}
ECHO_REQUEST = 8


class CaptureError(Exception):
    """A capture that cannot be drawn, as the sentence that the user reads."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A header, or the data, of `size` bytes from byte `start` of the frame on. `outer` is what a tunnel adds."""

    name: str
    start: int
    size: int
    outer: bool


def decoded(capture: Path) -> Sequence[Part]:
    """The parts of the first echo request in a capture, tunnelled or bare. Raises CaptureError without one."""
    try:
        frames = rdpcap(str(capture))
    except (OSError, Scapy_Exception) as error:
        raise CaptureError(f"{capture} cannot be read as a capture: {error}") from error
    for frame in frames:
        echo = frame.getlayer(ICMP)
        if echo is not None and echo.type == ECHO_REQUEST:
            return _layers(frame)
    raise CaptureError(f"{capture} holds no echo request: ping a Pod on another node while capturing")


def _layers(frame: Packet) -> Sequence[Part]:
    layers: list[Packet] = []
    layer: Packet | None = frame
    while layer and not isinstance(layer, Padding):
        layers.append(layer)
        layer = layer.payload or None
    tunnels = [number for number, layer in enumerate(layers) if isinstance(layer, VXLAN)]
    found: list[Part] = []
    start = 0
    for number, layer in enumerate(layers):
        size = len(raw(layer)) - len(raw(layer.payload))
        # The frame's own Ethernet header is there either way; a tunnel adds IP, UDP, VXLAN and the inner Ethernet.
        outer = bool(tunnels) and 0 < number <= tunnels[-1] + 1
        name = NAMES.get(type(layer).__name__, type(layer).__name__)
        found.append(Part(name=name, start=start, size=size, outer=outer))
        start += size
    return found
