"""Cilium: what stack cilium promises, as Helm values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reading import CLUSTER, at, kind_config
from rule import RELEASE, Resource, Settings, resource_rule, stack_rule


def _values(resource: Resource) -> object | None:
    """The values, None where this is not Cilium's release."""
    ours = resource.type == RELEASE and resource.within(["Cilium"])
    return resource.props.get("values") if ours else None


def _native(resource: Resource, settings: Settings) -> Iterator[str]:
    values = _values(resource)
    if values is None:
        return
    if at(values, "routingMode") != "native":
        yield "values.routingMode is not native: packets would be encapsulated; take it out of cilium.values"
    if at(values, "tunnelProtocol"):
        yield "values.tunnelProtocol asks for a tunnel; take it out of cilium.values"
    if at(values, "autoDirectNodeRoutes") is not True:
        yield "values.autoDirectNodeRoutes is not true: no node would have a route to another's Pods; take it out"


def _proxy(resource: Resource, settings: Settings) -> Iterator[str]:
    values = _values(resource)
    if values is not None and at(values, "kubeProxyReplacement") not in (True, "true", "strict"):
        yield "values.kubeProxyReplacement is not true, and nobody would serve Services; take it out of cilium.values"


def _hubble(resource: Resource, settings: Settings) -> Iterator[str]:
    values = _values(resource)
    if values is None:
        return
    for path in (("hubble", "enabled"), ("hubble", "relay", "enabled")):
        if at(values, *path) is not True:
            yield f"values.{'.'.join(path)} is not true: nobody could see a dropped flow; take it out of cilium.values"


def _routed(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    configs = [config for each in resources if each.name == CLUSTER and (config := kind_config(each))]
    for release in resources:
        routed = at(_values(release), "ipv4NativeRoutingCIDR")
        for subnet in [at(config, "networking", "podSubnet") for config in configs]:
            if routed and routed != subnet:
                yield (
                    release,
                    f"values.ipv4NativeRoutingCIDR is not the cluster's podSubnet {subnet}: Pods' addresses would be "
                    f"masqueraded between nodes, or the world's would not; take it out of cilium.values",
                )


RULES = [
    resource_rule("cilium-native-routing", "Cilium routes natively, without a tunnel.", _native),
    resource_rule("cilium-replaces-kube-proxy", "Cilium serves Services itself.", _proxy),
    resource_rule("cilium-hubble-on", "Hubble and its relay are on.", _hubble),
    stack_rule("cilium-routes-the-pod-subnet", "Cilium takes exactly the cluster's podCIDR for routed.", _routed),
]
