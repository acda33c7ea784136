"""What each CNI promises of its network. Pure; bytes are IP total lengths."""

from __future__ import annotations

from dataclasses import dataclass

BARE_PING = 84  # bytes of a ping of 56: 20 of IP, 8 of ICMP
VXLAN_OVERHEAD = 50  # bytes: outer IP 20, UDP 8, VXLAN 8, inner Ethernet 14


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a CNI says that its network does. `masquerading` is None where any will do."""

    encapsulation: str
    icmp_wire_bytes: int
    routing: str
    kube_proxy_replacement: bool
    masquerading: str | None
    services: bool = True
    dns: bool = True


def promise_of(cni: str) -> Promise:
    """What `cni` (cilium or flannel) promises. Raises ValueError for another."""
    if cni == "cilium":
        return Promise(
            encapsulation="none",
            icmp_wire_bytes=BARE_PING,
            routing="native",
            kube_proxy_replacement=True,
            masquerading="bpf",
        )
    if cni == "flannel":
        return Promise(
            encapsulation="vxlan",
            icmp_wire_bytes=BARE_PING + VXLAN_OVERHEAD,
            routing="vxlan",
            kube_proxy_replacement=False,
            masquerading=None,
        )
    raise ValueError(f"nothing is known of what cni={cni} promises")
