"""What kind decides about a cluster: the names of its nodes, and how they reach its API. And the order in which nodes
move. Pure."""

from __future__ import annotations

from collections.abc import Sequence

# The API server's port on the nodes' network.
API_PORT = 6443


def api_host(cluster: str, control_planes: int) -> str:
    """The API server's name on the nodes' network: kind puts a load balancer before several control planes."""
    return control_plane_names(cluster, 1)[0] if control_planes == 1 else f"{cluster}-external-load-balancer"


def control_plane_names(name: str, count: int) -> list[str]:
    """The names kind gives: the first of a role has no number, the second has 2."""
    return _names(name, "control-plane", count)


def worker_names(name: str, count: int) -> list[str]:
    """The same for workers."""
    return _names(name, "worker", count)


def node_names(name: str, control_planes: int, workers: int) -> list[str]:
    """All of them, control planes first, as kind lists them."""
    return control_plane_names(name, control_planes) + worker_names(name, workers)


def _names(name: str, role: str, count: int) -> list[str]:
    return [f"{name}-{role}{number if number > 1 else ''}" for number in range(1, count + 1)]


def move_groups(order: Sequence[str], control_planes: Sequence[str], at_a_time: int) -> list[list[str]]:
    """Groups of nodes that move side by side, one group after the other, `at_a_time` nodes each.

    A control plane always moves alone: two at once could take the API's quorum away.
    """
    groups: list[list[str]] = []
    for node in order:
        alone = node in control_planes
        if groups and not alone and len(groups[-1]) < at_a_time and groups[-1][-1] not in control_planes:
            groups[-1].append(node)
        else:
            groups.append([node])
    return groups


def order_errors(key: str, order: Sequence[str], nodes: Sequence[str]) -> list[str]:
    """What is wrong with an order of nodes: each node has to be in it, once."""
    errors = [
        f"{key}: {name!r} is no node of this cluster; the nodes are {', '.join(nodes)}"
        for name in sorted(set(order) - set(nodes))
    ]
    missing = [name for name in nodes if name not in order]
    if missing:
        errors.append(f"{key}: {', '.join(missing)} missing; name every node once, or leave the key out")
    twice = sorted({name for name in order if order.count(name) > 1})
    if twice:
        errors.append(f"{key}: {', '.join(twice)} more than once; name every node once")
    return errors
