"""What would not survive a change of CNI under running Pods, by node, Pod and Service, and what the user can do."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import cast

from steps.doors.kubectl import Kubectl, Object
from steps.doors.node import on_node
from steps.findings.live_values import meddling_values, unfit_config, unfit_values
from steps.findings.tenants import OTHERWISE, gateway_of
from steps.live_pods import strange_pods_of
from steps.names import MEASUREMENT, RELEASE, SYSTEM, TRAFFIC_OUTSIDE
from steps.nodes import node_from
from steps.pods import items_on_pod_network
from steps.preflight_drain import clinging_cilium, unfit_nodes, values_from
from steps.side_by_side import each

# A link that is up can be renamed from this version on.
_KERNEL = (6, 2)


def obstacles(kubectl: Kubectl, values: str, *, accepted: bool) -> list[str]:
    """A line for each. `values` are those of Cilium's chart as JSON. `accepted`: connections that come in by a node may
    break. Raises StepError where one of the questions has no answer."""
    told = values_from(values)
    nodes = kubectl.objects("nodes")
    gateways = [gateway_of(item["spec"]["podCIDR"]) for item in nodes if _has_one_podcidr(item)]
    return [
        *(
            f"{line}; leave it out of cilium.values until the migration is done, or {OTHERWISE}"
            for line in unfit_values(told)
        ),
        *meddling_values(told),
        *unfit_nodes([node_from(item) for item in nodes]),
        *([] if values else _of_running_cilium(kubectl)),
        *(line for item in nodes for line in _of_node(item)),
        *_in_nodes([item["metadata"]["name"] for item in nodes]),
        *(line for item in items_on_pod_network(kubectl) for line in _of_pod(item, gateways)),
        *([] if accepted else [line for item in kubectl.objects("services") for line in _of_service(item)]),
    ]


def _of_node(item: Object) -> list[str]:
    name, info = item["metadata"]["name"], item["status"]["nodeInfo"]
    found: list[str] = []
    version = re.match(r"(\d+)\.(\d+)", str(info["kernelVersion"]))
    if version is None or (int(version[1]), int(version[2])) < _KERNEL:
        found.append(
            f"{name}: the kernel {info['kernelVersion']} is older than 6.2 and renames no link that is up; {OTHERWISE}"
        )
    if not str(info["containerRuntimeVersion"]).startswith("containerd://"):
        found.append(f"{name}: the runtime is {info['containerRuntimeVersion']}, not containerd; {OTHERWISE}")
    if not _has_one_podcidr(item):
        found.append(f"{name}: it has not one podCIDR of IPv4; {OTHERWISE}")
    return found


def _of_running_cilium(kubectl: Kubectl) -> list[str]:
    """Of the one that is to go: it has brought its own values."""
    config = kubectl.object("configmap", "cilium-config", namespace=SYSTEM)
    lines = unfit_config(config.get("data") or {}) if config else []
    return [
        *(f"{line}; change it in its stack's values, bring that up, or {OTHERWISE}" for line in lines),
        *(clinging_cilium(kubectl) if config else []),
    ]


def of_node_s_pods(kubectl: Kubectl, node: str, pod_cidr: str) -> list[str]:
    """A line for each Pod that came to the node since, and would not survive."""
    items = items_on_pod_network(kubectl, node=node)
    return [line for item in items for line in _of_pod(item, [gateway_of(pod_cidr)])]


def _has_one_podcidr(item: Object) -> bool:
    return len(item["spec"].get("podCIDRs") or []) == 1 and ":" not in item["spec"].get("podCIDR", ":")


def _in_nodes(names: list[str]) -> list[str]:
    """A line for each program that is missing in a node, and for each Pod there with a network that is its own affair,
    of which the API knows nothing."""

    def look(name: str) -> list[str]:
        missing = [
            f"the node has no {tool}, by which Pods are handed over; put it into the node's image, or {OTHERWISE}"
            for tool in on_node(name, "tools").split()
        ]
        return [f"{name}: {line}" for line in missing or strange_pods_of(name)]

    found = each({name: (lambda name=name: look(name)) for name in names}, "the look into nodes")
    return [line for name in names for line in found[name]]


def _of_pod(item: Object, gateways: Collection[str]) -> list[str]:
    spec = item["spec"]
    where = f"{spec.get('nodeName') or 'no node yet'}: {item['metadata']['namespace']}/{item['metadata']['name']}"
    if (address := item["status"].get("podIP")) in gateways:
        return [
            f"{where} has the address {address}, which is that of Flannel's bridge; delete the Pod, so that it gets "
            f"another one, or {OTHERWISE}"
        ]
    containers: list[Object] = [*spec.get("containers", []), *spec.get("initContainers", [])]
    declared = [port for one in containers for port in cast("list[Object]", one.get("ports") or [])]
    ports = [str(port["hostPort"]) for port in declared if port.get("hostPort")]
    if not ports:
        return []
    return [
        f"{where} has the host port {' '.join(ports)}, whose rules are those of its CNI and would not go over; delete "
        f"the Pod for the time of the migration, or {OTHERWISE}"
    ]


def _of_service(item: Object) -> list[str]:
    kind = item["spec"].get("type")
    ways = [f"is a {kind}"] if kind in ("NodePort", "LoadBalancer") else []
    # Cilium serves them at a node's device as it does node ports.
    ways += ["has external IPs"] if item["spec"].get("externalIPs") else []
    annotations: dict[str, str] = item["metadata"].get("annotations") or {}
    # Hubble's goes with Cilium, and comes with it.
    ours = item["metadata"]["namespace"] == SYSTEM and annotations.get("meta.helm.sh/release-name") == RELEASE
    # It is there to measure what this line would name.
    ours = ours or (item["metadata"]["namespace"], item["metadata"]["name"]) == (MEASUREMENT, TRAFFIC_OUTSIDE)
    if not ways or ours:
        return []
    return [
        f"Service {item['metadata']['namespace']}/{item['metadata']['name']} {' and '.join(ways)}: connections "
        "that are open through a node break when it moves, and for seconds it opens none to its own Pods; accept that "
        "with migration.allowBrokenConnections true, or take rolling or recreate, which end them too and do not ask"
    ]
