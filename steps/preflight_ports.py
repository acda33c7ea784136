"""NodePorts that come with a chart. The API gives each number to one Service, so another's stops Helm halfway. A dry
run cannot tell whose it is: the API refuses the number before it says that the Service that has it is this very one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steps.doors.kubectl import Kubectl, Object
from steps.objects import full_name, part, parts


def held(kubectl: Kubectl, objects: Sequence[Object]) -> dict[int, str]:
    """NAMESPACE/NAME of the Service that has each NodePort which the objects ask for; nothing of a free one."""
    wanted = {port for item in objects for port in _node_ports(item)}
    if not wanted:
        return {}
    # The items of a list name no kind.
    services = [{**item, "kind": "Service"} for item in kubectl.objects("services")]
    return {port: full_name(item) for item in services for port in _node_ports(item) if port in wanted}


def obstacles(objects: Sequence[Object], holders: Mapping[int, str]) -> list[str]:
    """A line for each NodePort that is another Service's."""
    return [
        f"NodePort {port} of Service {full_name(item)} is Service {holders[port]}'s: give that one another, or set the "
        f"chart's to another in cilium.values"
        for item in objects
        for port in _node_ports(item)
        if holders.get(port, full_name(item)) != full_name(item)
    ]


def without(objects: Sequence[Object], holders: Mapping[int, str]) -> list[Object]:
    """The objects as a dry run is to see them: without the NodePorts that a Service has already."""
    return [_without(item, holders) if _node_ports(item) else item for item in objects]


def _without(item: Object, holders: Mapping[int, str]) -> Object:
    ports = [
        {key: value for key, value in port.items() if key != "nodePort" or value not in holders}
        for port in parts(item, "spec", "ports")
    ]
    return {**item, "spec": {**part(item, "spec"), "ports": ports}}


def _node_ports(item: Object) -> list[int]:
    if item.get("kind") != "Service":
        return []
    return [port["nodePort"] for port in parts(item, "spec", "ports") if port.get("nodePort")]
