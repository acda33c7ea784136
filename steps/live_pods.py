"""The Pods of one node while it changes its CNI under them: who they are, out of the bridge, into Cilium's care."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from steps.doors.node import on_node
from steps.findings.agent_answers import Endpoint, answer_from, answers_from, endpoints_from
from steps.findings.tenants import (
    Sandbox,
    Tenant,
    devices_from,
    endpoint,
    gateway_of,
    sandboxes_from,
    strange_pods,
    strangers,
    tenants_from,
)
from steps.running import StepError, say

# Seconds for which the agent's API is waited for; for which a Pod may take to be Ready in the runtime.
_API, _SETTLE = 180, 30


@dataclass(frozen=True, kw_only=True)
class Place:
    """The node, and its podCIDR."""

    node: str
    pod_cidr: str


def tenants(place: Place) -> list[Tenant]:
    """Those that run there now on the Pod network. Raises StepError naming those that no CNI can take over."""
    return tenants_from(*_look(place.node))


def strange_pods_of(node: str) -> list[str]:
    """A sentence for each Pod there whose network is not as a CNI has made it."""
    return strange_pods(*_look(node))


def _look(node: str) -> tuple[list[Sandbox], str]:
    sandboxes = sandboxes_from(on_node(node, "tenants", env={"STEP": "sandboxes"}))
    rows = "".join(f"{sandbox.id} {sandbox.pid}\n" for sandbox in sandboxes)
    return sandboxes, on_node(node, "tenants", env={"STEP": "links"}, stdin=rows)


def settled_tenants(place: Place) -> list[Tenant]:
    """The same, when the runtime has named a Pod for each port of Flannel's bridge and each device of Cilium's: one
    that has just started has a network before it is Ready, and would lose it. Raises StepError naming the devices that
    stay nobody's."""
    deadline = time.monotonic() + _SETTLE
    while True:
        found = tenants(place)
        others = strangers(devices_from(on_node(place.node, "tenants", env={"STEP": "devices"})), found)
        if not others:
            return found
        if time.monotonic() >= deadline:
            raise StepError(
                f"{place.node}: no running Pod belongs to {' '.join(others)}, which a CNI has made. "
                "Where Pods that have ended left them, take them away (ip link delete dev NAME); run the same again"
            )
        time.sleep(0.5)  # between two looks, not in place of a condition


def take_out(place: Place, pods: Collection[Tenant]) -> None:
    """Each is routed on its own, by no CNI's help, and Flannel's tunnel is gone."""
    route(place, "there", pods)
    for step in ("leave", "tunnel"):
        _handover(place, step, pods)


def route(place: Place, way: Literal["there", "back"], pods: Collection[Tenant]) -> None:
    """Each is routed on its own, and still a port of the bridge or a Pod of Cilium's."""
    on_node(place.node, "routed", env={"STEP": "the route", "WAY": way}, stdin=_rows(pods))


def bridge_off(place: Place) -> None:
    """Flannel's bridge is gone. Raises StepError where a Pod is still in it, or nobody else has its address."""
    _handover(place, "bridge", ())


def reserve(place: Place, pods: Collection[Tenant]) -> None:
    """The agent gives the address of none of them away, from its first moment on."""
    rows = "".join(f"{pod.address} {quote(pod.full_name, safe='')}\n" for pod in pods)
    on_node(place.node, "reserve", env={"SECONDS_MAX": str(_API)}, stdin=rows, timeout=_API + 120)


def adopt(place: Place, pods: Collection[Tenant]) -> list[str]:
    """The agent knows each of them as its own. A line for each that it does not take and that still runs."""
    known = endpoints(place)
    missing = [pod for pod in pods if pod.sandbox.id not in known]
    # Once more: an agent that ended since has forgotten what was reserved, and an adopted address that is not would be
    # given to another Pod.
    reserve(place, missing)
    ends = devices_from(on_node(place.node, "tenants", env={"STEP": "devices"}))
    going = [pod for pod in missing if pod.index in ends]  # one without a device has ended
    for pod in going:
        say(f"{place.node}: {pod.full_name} goes over to Cilium with {pod.address}")
    bodies = "".join(f"{json.dumps(endpoint(pod, *ends[pod.index]))}\n" for pod in going)
    said = on_node(place.node, "adopt", stdin=bodies, timeout=300 + _API) if going else ""
    refused: dict[str, str] = {}
    for pod, (code, body) in zip(going, answers_from(said), strict=True):
        if code != 201:
            # What it refuses it forgets, the reserved address with it, and the Pod runs on.
            reserve(place, [pod])
            refused[pod.sandbox.id] = f"{pod.full_name} ({pod.address}): {code} {' '.join(body.split())[:300]}"
    # The program on the device answers for the gateway by now.
    _handover(place, "served", [pod for pod in pods if pod.sandbox.id not in refused])
    left = {pod.sandbox.id for pod in tenants(place)} if refused else set[str]()
    return [line for sandbox, line in refused.items() if sandbox in left]


def forget_ended(place: Place, reserved: Collection[Tenant], pods: Collection[Tenant]) -> None:
    """Those that ended after they went over, while their DEL went to the holding plugin, are no endpoints any more. Of
    those that ended before, the address is free again: nobody else can have it, as long as it is reserved."""
    adopted = {pod.sandbox.id for pod in pods}
    for pod in reserved:
        if pod.sandbox.id not in adopted:
            code, body = _ask(place, "DELETE", f"/ipam/{pod.address}?pool=default")
            if code not in (200, 404):
                raise StepError(f"{place.node}: {pod.address} of {pod.full_name} stays reserved: {code} {body[:300]}")
    running = {pod.sandbox.id for pod in tenants(place)}
    for pod in pods:
        if pod.sandbox.id not in running:
            code, body = _ask(place, "DELETE", f"/endpoint/cni-attachment-id:{pod.sandbox.id}:eth0")
            # 206: something of it was gone already.
            if code not in (200, 206, 404):
                raise StepError(f"{place.node}: {pod.full_name} has ended and stays an endpoint: {code} {body[:300]}")


def endpoints(place: Place) -> dict[str, Endpoint]:
    """What the agent has of its endpoints, by their container's ID."""
    return endpoints_from(_ask(place, "GET", "/endpoint")[1])


def _handover(place: Place, step: str, pods: Collection[Tenant]) -> None:
    env = {"STEP": step, "GATEWAY": gateway_of(place.pod_cidr), "NETWORK": place.pod_cidr.split("/")[0]}
    on_node(place.node, "handover", env=env, stdin=_rows(pods))


def _rows(pods: Collection[Tenant]) -> str:
    """As each_pod.sh reads them."""
    return "".join(f"{pod.sandbox.pid} {pod.address} {pod.index} {pod.mac} {pod.device}\n" for pod in pods)


def _ask(place: Place, method: str, path: str) -> tuple[int, str]:
    env = {"METHOD": method, "REQUEST": path, "SECONDS_MAX": str(_API)}
    return answer_from(on_node(place.node, "cilium_api", env=env))
