"""Docker's own networks inside a range of the cluster: routes to podCIDRs, and the clean-up of them, would take the
nodes' own way to each other."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

from steps.doors import docker


def overlaps(nodes: Sequence[str], *, pod_subnet: str, service_subnet: str) -> list[str]:
    """A line for each network that the nodes are on and each range that it shares addresses with."""
    ranges = {"cluster.podSubnet": IPv4Network(pod_subnet), "cluster.serviceSubnet": IPv4Network(service_subnet)}
    found: dict[tuple[str, str], str] = {}
    for attached in docker.attachments(nodes):
        for key, subnet in ranges.items():
            if attached.subnet.overlaps(subnet):
                found[attached.network, key] = (
                    f"Docker's network {attached.network} ({attached.subnet}), which the nodes are on, and {key} "
                    f"{subnet} overlap, so nodes would lose each other: make the cluster anew with another range, or "
                    f"the network (docker network create --subnet)"
                )
    return [found[key] for key in sorted(found)]
