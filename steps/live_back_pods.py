"""The Pods of one node while they go from Cilium's care into Flannel's bridge, and their open connections with them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from steps.doors.kubectl import Kubectl, Object
from steps.doors.node import on_node
from steps.findings.flows import Known, Masquerading, going_over, known_from, masqueraded
from steps.findings.promise import VXLAN_OVERHEAD
from steps.findings.tenants import Tenant, delegate, gateway_of
from steps.live_pods import Place, route, tenants
from steps.names import AGENTS, SYSTEM
from steps.running import StepError, say

_AGENT = "cilium-agent"


def masquerading(kubectl: Kubectl, place: Place, pods: Collection[Tenant]) -> Masquerading:
    """What Cilium masquerades of theirs, as long as its agent runs; without one nobody can read its map, and what is
    open is taken to have kept its port."""
    by_rules = on_node(place.node, "cilium_masquerading").strip() == "iptables"
    fields = f"spec.nodeName={place.node}"
    agents = kubectl.objects("pods", namespace=SYSTEM, selector=AGENTS["cilium"], fields=fields)
    running = [item["metadata"]["name"] for item in agents if _runs(item, _AGENT)]
    if agents and not running:
        # Its programs go on. To wait for it would bar the way back when it is needed most.
        say(f"{place.node}: Cilium's agent does not run, so its map of connections is not read")
    if not running or by_rules:
        return Masquerading(masked={}, seen=(), by_rules=by_rules)
    # First: what is opened between the two looks is in the map, and need not be seen.
    seen = _known(place, pods).opened.keys()
    asked = ("cilium-dbg", "bpf", "nat", "list", "--output=json")
    masked = masqueraded(kubectl.execute(SYSTEM, running[0], asked, container=_AGENT))
    return Masquerading(masked=masked, seen=seen, by_rules=by_rules)


def _runs(item: Object, container: str) -> bool:
    """Not the Pod's phase: one whose container ends again and again is Running too."""
    statuses: list[Object] = item["status"].get("containerStatuses") or []
    return any(status["name"] == container and "running" in (status.get("state") or {}) for status in statuses)


def take_programs(
    place: Place, pods: Collection[Tenant], before: Masquerading, peers: list[str], own: str, pod_subnet: str
) -> None:
    """Cilium's programs are gone from the node, and each flow that is open in its Pods goes on without them."""
    flows = going_over(_known(place, pods), before, pod_subnet=pod_subnet, own=own, peers=peers)
    if flows:
        say(f"{place.node}: open flows that are put over into netfilter: {len(flows)}")
    on_node(place.node, "programs_off", stdin="".join(f"{flow.row}\n" for flow in flows))


def _known(place: Place, pods: Collection[Tenant]) -> Known:
    rows = "".join(f"{pod.sandbox.id} {pod.sandbox.pid}\n" for pod in pods)
    return known_from(on_node(place.node, "open_flows", stdin=rows))


def route_back(place: Place, pods: Collection[Tenant]) -> None:
    """Each is routed on its own, with Cilium's programs still in its way."""
    route(place, "back", pods)


def take_addresses(place: Place, pods: Collection[Tenant], pod_subnet: str, mtu: int) -> None:
    """Flannel's plugin gives the address of none of them away, and lets it go when its Pod goes."""
    configuration = json.dumps(delegate(place.pod_cidr, pod_subnet, mtu))
    rows = "".join(f"{pod.sandbox.id} {pod.address} {configuration}\n" for pod in pods)
    on_node(place.node, "flannel_files", env={"STEP": "write"}, stdin=rows)


def keep_router(place: Place) -> None:
    """The address of Cilium's router, where it is not the gateway, stays for what is open, and is given to no Pod."""
    on_node(place.node, "router", env={"STEP": "keep", "GATEWAY": gateway_of(place.pod_cidr)})


def into_bridge(place: Place, pods: Collection[Tenant], pod_subnet: str, mtu: int) -> None:
    """Each is in Flannel's bridge, and looks like a Pod of its."""
    _rebridge(place, ("bridge", "dress"), pods, pod_subnet, mtu)


def settle(place: Place, pods: Collection[Tenant], pod_subnet: str, mtu: int) -> None:
    """The bridge's own route leads to them."""
    _rebridge(place, ("settle",), pods, pod_subnet, mtu)


def forget_ended(place: Place, pods: Collection[Tenant]) -> None:
    """The addresses of those that have ended meanwhile, whose DEL went to the holding plugin, are free."""
    running = {pod.sandbox.id for pod in tenants(place)}
    _forget(place, [(pod.sandbox.id, pod.address) for pod in pods if pod.sandbox.id not in running])


def forget_left(place: Place, pods: Collection[Tenant]) -> None:
    """The same of Pods that a run had met which was cut off: all but `pods`, which run. Only while no agent of
    Flannel's is there: a Pod that it makes has an address before it is seen."""
    said = on_node(place.node, "flannel_files", env={"STEP": "list"})
    taken = [(words[0], words[1]) for words in map(str.split, said.splitlines()) if len(words) == 2]
    running = {pod.sandbox.id for pod in pods}
    _forget(place, [(sandbox, address) for sandbox, address in taken if sandbox not in running])


def _forget(place: Place, ended: Collection[tuple[str, str]]) -> None:
    rows = "".join(f"{sandbox} {address} -\n" for sandbox, address in ended)
    if rows:
        on_node(place.node, "flannel_files", env={"STEP": "forget"}, stdin=rows)


def pods_mtu(place: Place) -> int:
    """What Flannel gives its Pods: its own word where it runs, and otherwise what follows from the node's devices."""
    said = on_node(place.node, "flannel_mtu", env={"OVERHEAD": str(VXLAN_OVERHEAD)}).strip()
    if not said.isdecimal():
        raise StepError(f"{place.node}: its MTU is {said!r}, and has to be a number")
    return int(said)


def _rebridge(place: Place, steps: Sequence[str], pods: Collection[Tenant], pod_subnet: str, mtu: int) -> None:
    network, prefix = place.pod_cidr.split("/")
    env = {
        "GATEWAY": gateway_of(place.pod_cidr),
        "NETWORK": network,
        "PREFIX": prefix,
        "POD_SUBNET": pod_subnet,
        "MTU": str(mtu),
    }
    rows = "".join(f"{pod.sandbox.pid} {pod.address} {pod.index} {pod.mac} veth{pod.sandbox.id[:8]}\n" for pod in pods)
    for step in steps:
        on_node(place.node, "rebridge", env={"STEP": step, **env}, stdin=rows)
