"""podCIDR sizes: each node's part, their number, and whose addresses they are."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from reading import at, items, kind_config
from rule import Resource, Settings, number, resource_rule

_PRIVATE = [IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]


def _check(resource: Resource, settings: Settings) -> Iterator[str]:
    config = kind_config(resource)
    if config is None:
        return
    networking = at(config, "networking")
    if not at(networking, "podSubnet") or not at(networking, "serviceSubnet"):
        yield "kind would choose the ranges itself; set cluster.podSubnet and cluster.serviceSubnet"
        return
    pods, services = IPv4Network(networking["podSubnet"]), IPv4Network(networking["serviceSubnet"])
    mask, wanted = int(settings["nodeMask"]), int(settings["podsPerNode"])
    nodes, spare = len(items(config, "nodes")), int(settings["spareNodes"])
    room = 2 ** (mask - pods.prefixlen) if pods.prefixlen <= mask else 0
    if room < nodes + spare:
        fits = mask - (nodes + spare - 1).bit_length()
        yield (
            f"podSubnet {pods} holds {room} ranges of /{mask}, one a node, and {nodes} nodes with {spare} to spare "
            f"need {nodes + spare}; choose a prefix of /{fits} or shorter for cluster.podSubnet"
        )
    # The network's and the broadcast address, and the node's own (cni0, cilium_host) are no Pod's.
    if 2 ** (32 - mask) - 3 < wanted:
        yield f"a /{mask} a node holds no {wanted} Pods; choose a shorter nodeMask, or fewer podsPerNode"
    if pods.overlaps(services):
        yield f"podSubnet {pods} and serviceSubnet {services} overlap; choose two ranges that share no address"
    for name, range_ in (("podSubnet", pods), ("serviceSubnet", services)):
        if not any(range_.subnet_of(private) for private in _PRIVATE):
            yield f"{name} {range_} is not private: somebody else's addresses; choose one inside 10.0.0.0/8"


RULES = [
    resource_rule(
        "pod-subnet-fits",
        "The podCIDR has a range for each node, of private addresses.",
        _check,
        settings={
            "nodeMask": number("prefix of each node's range (kubeadm: 24)", 24, 16, 29),
            "spareNodes": number("nodes that the range has to have room for beside those asked for", 1, 0, 1000),
            "podsPerNode": number("Pods that a node has to have addresses for (kubelet: 110)", 110, 1, 1000),
        },
    )
]
