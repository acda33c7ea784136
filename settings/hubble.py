"""Where a browser finds Hubble on this machine: a port of the host, mapped to a NodePort when the cluster is made.
Pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from settings.reading import Reader

# The chart's own default for the NodePort of Hubble UI.
NODE_PORT = 31235
HUBBLE_DEFAULTS: dict[str, Any] = {"port": 12000, "address": "127.0.0.1"}
ANY = "0.0.0.0"


@dataclass(frozen=True, kw_only=True)
class HostPort:
    """A TCP port of this machine, and the address that it listens on (0.0.0.0 for all)."""

    address: str
    port: int

    @property
    def url(self) -> str:
        """As a browser on this machine has it."""
        return f"http://{'localhost' if self.address in ('127.0.0.1', ANY) else self.address}:{self.port}"

    def overlaps(self, other: HostPort) -> bool:
        """Whether not both can be listened on."""
        return self.port == other.port and (self.address == other.address or ANY in (self.address, other.address))


@dataclass(frozen=True, kw_only=True)
class HubbleSettings:
    """`mapping` is None where the cluster is to be made without one."""

    port: int
    address: str

    @property
    def mapping(self) -> HostPort | None:
        """The port that a cluster made now gets."""
        return HostPort(address=self.address, port=self.port) if self.port else None


def read_hubble(read: Reader) -> HubbleSettings:
    """The keys below `hubble`; mistakes go to the reader."""
    port = read.integer("hubble.port", 0, 65535)
    address = read.text("hubble.address", example="127.0.0.1")
    if address and not _is_listened_on(address):
        read.refuse(
            "hubble.address",
            f"{address!r} is no IPv4 address that can be listened on; write 127.0.0.1 for this machine alone, or "
            f"{ANY} for whoever reaches it (the page asks for no password)",
        )
    return HubbleSettings(port=port, address=address)


def _is_listened_on(address: str) -> bool:
    try:
        parsed = IPv4Address(address)
    except AddressValueError:
        return False
    return not parsed.is_multicast and address != "255.255.255.255"
