"""Arithmetic on the two address ranges of a cluster. Pure: no Pulumi, no I/O."""

from __future__ import annotations

import re
from ipaddress import IPv4Network

from settings.reading import Reader

# kubeadm gives every node a /24 out of the podCIDR (kube-controller-manager's --node-cidr-mask-size default for IPv4).
NODE_PREFIX = 24
# A Service range must hold the API's address (.1) and CoreDNS's (.10), both of which kubeadm fixes.
SMALLEST_SERVICE_PREFIX = 28
# No private range is larger than 10.0.0.0/8.
LARGEST_PREFIX = 8
# Pods and Services need addresses that a node routes to one receiver.
UNROUTABLE = {
    IPv4Network("0.0.0.0/8"): "stands for this host",
    IPv4Network("127.0.0.0/8"): "is loopback, which leaves no host",
    IPv4Network("169.254.0.0/16"): "is link-local, which no router forwards",
    IPv4Network("224.0.0.0/4"): "is multicast",
    IPv4Network("240.0.0.0/4"): "is reserved, and the kernel's routes refuse it",
}


def read_subnet(read: Reader, key: str) -> IPv4Network | None:
    """An IPv4 network, or None where the reader got a mistake."""
    value = read.given(key)
    if not isinstance(value, str):
        read.text(key, example="10.244.0.0/16")
        return None
    try:
        # Python takes a netmask, a lone address and /016 as well; what reads this later may read it otherwise.
        if not re.fullmatch(r"[0-9.]+/(0|[1-9][0-9]?)", value):
            raise ValueError("it has to be four numbers and a prefix, without blanks or leading zeros")
        network = IPv4Network(value)
    except ValueError as error:
        read.refuse(key, f"{value!r} is no IPv4 network ({error}); write one such as 10.244.0.0/16")
        return None
    for range_, reason in UNROUTABLE.items():
        if network.prefixlen >= LARGEST_PREFIX and network.overlaps(range_):
            read.refuse(key, f"{value!r} is refused: {range_} {reason}; choose a private range such as 10.244.0.0/16")
            return None
    if network.prefixlen < LARGEST_PREFIX:
        read.refuse(key, f"{value!r} is refused: it takes in others' addresses; choose a prefix of /8 or longer")
        return None
    return network


def check_subnets(read: Reader, pods: IPv4Network, services: IPv4Network, nodes: int) -> None:
    """Whether the ranges fit a cluster of `nodes` nodes; mistakes go to the reader."""
    of_pods = f"cluster.podSubnet {pods}{read.where('cluster.podSubnet')}"
    of_services = f"cluster.serviceSubnet {services}{read.where('cluster.serviceSubnet')}"
    if pods.overlaps(services):
        read.errors.append(f"{of_pods} and {of_services} overlap; choose two ranges that share no address")
    per_node = 2 ** (NODE_PREFIX - pods.prefixlen) if pods.prefixlen <= NODE_PREFIX else 0
    if per_node < nodes:
        read.errors.append(
            f"cluster.podSubnet {pods} is too small: it holds {per_node} ranges of /{NODE_PREFIX}, one a node, "
            f"and {nodes} nodes are asked for; choose a prefix of /{_prefix_for(nodes)} or shorter"
            f"{read.where('cluster.podSubnet')}"
        )
    if services.prefixlen > SMALLEST_SERVICE_PREFIX:
        read.errors.append(
            f"cluster.serviceSubnet {services} is too small: kubeadm gives CoreDNS its tenth address; "
            f"choose a prefix of /{SMALLEST_SERVICE_PREFIX} or shorter{read.where('cluster.serviceSubnet')}"
        )


def _prefix_for(nodes: int) -> int:
    return NODE_PREFIX - (nodes - 1).bit_length()
