"""The Pods that run on a node, as its runtime and its kernel have them, and what Cilium's agent is told. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, cast

from steps.running import StepError

# What a user can do where Pods cannot stay.
OTHERWISE = "migration.strategy rolling or recreate goes there"


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """One that is up; `pid` is its pause process."""

    id: str
    pid: int
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A Pod with a network of its own: `index` is the number of its veth's end on the node, `mac` the Pod's own."""

    sandbox: Sandbox
    index: int
    mac: str
    address: str

    @property
    def full_name(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.sandbox.namespace}/{self.sandbox.name}"

    @property
    def device(self) -> str:
        """What Cilium's CNI plugin would have called its veth: `lxc` and the first 12 digits of the SHA-256 of
        CONTAINER:INTERFACE."""
        return "lxc" + hashlib.sha256(f"{self.sandbox.id}:eth0".encode()).hexdigest()[:12]


def sandboxes_from(text: str) -> list[Sandbox]:
    """Reads what `crictl inspectp` says of several: a list, or with one of them, and in older versions, one document
    after the other."""
    decoder, found, rest = json.JSONDecoder(), list[Sandbox](), text.strip()
    while rest:
        try:
            said, end = decoder.raw_decode(rest)
            found += [_sandbox(item) for item in (cast("list[Any]", said) if isinstance(said, list) else [said])]
        except (ValueError, TypeError, KeyError) as error:
            raise StepError(f"what the runtime says of a sandbox cannot be read ({error!r}): {rest[:200]!r}") from error
        rest = rest[end:].strip()
    return found


def _sandbox(item: Any) -> Sandbox:
    status = item["status"]
    metadata = status["metadata"]
    return Sandbox(
        id=str(status["id"]),
        pid=int(item["info"]["pid"]),
        namespace=str(metadata["namespace"]),
        name=str(metadata["name"]),
        uid=str(metadata["uid"]),
    )


def strange_pods(sandboxes: Sequence[Sandbox], links: str) -> list[str]:
    """A sentence for each line ID ? WHY: a Pod whose network is not as a CNI has made it."""
    names = {sandbox.id: f"{sandbox.namespace}/{sandbox.name}" for sandbox in sandboxes}
    return [
        f"{names[words[0]]} {' '.join(words[2:])}, so no CNI can take it over; delete the Pod for the time of the "
        f"migration, or {OTHERWISE}"
        for words in map(str.split, links.splitlines())
        if words[1:2] == ["?"] and words[0] in names
    ]


def tenants_from(sandboxes: Sequence[Sandbox], links: str) -> list[Tenant]:
    """Joins them with the lines ID INDEX MAC ADDRESS. Raises StepError for a line of another shape: a Pod that is left
    out would lose its network."""
    if strange := strange_pods(sandboxes, links):
        raise StepError("\n".join(strange))
    by_id = {sandbox.id: sandbox for sandbox in sandboxes}
    found: list[Tenant] = []
    for line in links.splitlines():
        words = line.split()
        if len(words) != 4 or words[0] not in by_id or not words[1].isdecimal():
            raise StepError(f"it says {line[:200]!r}, which is no Pod with an address")
        found.append(Tenant(sandbox=by_id[words[0]], index=int(words[1]), mac=words[2], address=words[3]))
    return found


def devices_from(text: str) -> dict[int, tuple[str, str]]:
    """Name and MAC of the devices that a CNI has made, by their number: lines INDEX NAME MAC."""
    found: dict[int, tuple[str, str]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) != 3 or not words[0].isdecimal():
            raise StepError(f"it says {line[:200]!r}, which is no device with a MAC")
        found[int(words[0])] = (words[1], words[2])
    return found


def strangers(devices: Mapping[int, tuple[str, str]], tenants: Collection[Tenant]) -> list[str]:
    """The names of those that are no Pod's of these."""
    known = {tenant.index for tenant in tenants}
    return [name for index, (name, _) in devices.items() if index not in known]


def gateway_of(pod_cidr: str) -> str:
    """The address of Flannel's bridge, which is the Pods' gateway, and is to be that of Cilium's router."""
    return str(IPv4Network(pod_cidr)[1])


def health_of(pod_cidr: str, tenants: Collection[Tenant]) -> str:
    """An address for the agent's health endpoint that no Pod has: the agent takes one before a Pod's can be reserved.
    The last one that is free, since Flannel counts up."""
    network = IPv4Network(pod_cidr)
    taken = {tenant.address for tenant in tenants}
    for number in range(network.num_addresses - 2, 1, -1):
        if str(network[number]) not in taken:
            return str(network[number])
    raise StepError(f"no address of {pod_cidr} is free for Cilium's health endpoint; let a Pod of that node end first")


def delegate(pod_cidr: str, pod_subnet: str, mtu: int) -> dict[str, Any]:
    """What Flannel's plugin has told the plugin `bridge` of a Pod, and tells it again when the Pod goes. As of 1.7 of
    its CNI plugin, with this project's conflist."""
    return {
        "cniVersion": "0.3.1",
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {"routes": [{"dst": pod_subnet}], "subnet": pod_cidr, "type": "host-local"},
        "isDefaultGateway": True,
        "isGateway": True,
        "mtu": mtu,
        "name": "cbr0",
        "type": "bridge",
    }


def endpoint(tenant: Tenant, device: str, host_mac: str) -> dict[str, Any]:
    """What Cilium's CNI plugin would tell the agent. The datapath's options are such that a reply to a Pod of the same
    node passes conntrack: without them an established connection through a ClusterIP to the same node is reset."""
    return {
        "container-id": tenant.sandbox.id,
        "container-interface-name": "eth0",
        "k8s-namespace": tenant.sandbox.namespace,
        "k8s-pod-name": tenant.sandbox.name,
        "k8s-uid": tenant.sandbox.uid,
        "interface-name": device,
        "interface-index": tenant.index,
        "mac": tenant.mac,
        "host-mac": host_mac,
        "addressing": {"ipv4": tenant.address, "ipv4-pool-name": "default"},
        "datapath-configuration": {
            "install-endpoint-route": True,
            "require-egress-prog": True,
            "require-routing": False,
        },
        "state": "waiting-for-identity",
        "sync-build-endpoint": True,
    }
