"""Arithmetic on the two address ranges of a cluster. Pure: no Pulumi, no I/O."""

from __future__ import annotations

from ipaddress import IPv4Network

# kubeadm gives every node a /24 out of the podCIDR (kube-controller-manager's --node-cidr-mask-size default for IPv4).
NODE_PREFIX = 24
# A Service range must hold the API's address (.1) and CoreDNS's (.10), both of which kubeadm fixes.
SMALLEST_SERVICE_PREFIX = 28


def parse_subnet(key: str, value: str, errors: list[str]) -> IPv4Network | None:
    """An IPv4 network, or None with a sentence in `errors` that names `key`, the value and the remedy."""
    try:
        return IPv4Network(value)
    except ValueError as error:
        errors.append(f"{key}: {value!r} is no IPv4 network ({error}); write one such as 10.244.0.0/16")
        return None


def subnet_errors(pods: IPv4Network, services: IPv4Network, nodes: int) -> list[str]:
    """What is wrong with the ranges of a cluster of `nodes` nodes; empty when they fit."""
    errors: list[str] = []
    if pods.overlaps(services):
        errors.append(
            f"cluster.podSubnet {pods} and cluster.serviceSubnet {services} overlap; "
            "choose two ranges that share no address"
        )
    per_node = 2 ** (NODE_PREFIX - pods.prefixlen) if pods.prefixlen <= NODE_PREFIX else 0
    if per_node < nodes:
        errors.append(
            f"cluster.podSubnet {pods} is too small: it holds {per_node} ranges of /{NODE_PREFIX}, one a node, "
            f"and {nodes} nodes are asked for; choose a prefix of /{_prefix_for(nodes)} or shorter"
        )
    if services.prefixlen > SMALLEST_SERVICE_PREFIX:
        errors.append(
            f"cluster.serviceSubnet {services} is too small: kubeadm gives CoreDNS its tenth address; "
            f"choose a prefix of /{SMALLEST_SERVICE_PREFIX} or shorter"
        )
    return errors


def _prefix_for(nodes: int) -> int:
    return NODE_PREFIX - (nodes - 1).bit_length()
