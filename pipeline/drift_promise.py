"""What a stack promises of its cluster: from its settings, and from what its last `up` has kept in the state. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from components.cni.choice import requirements
from components.cni.flannel import flannel_files
from components.cni.kube_proxy import kube_proxy_files
from settings import Settings
from settings.kind import API_PORT, api_host, node_names
from steps.names import FLANNEL_NAMESPACE, SYSTEM

FLANNEL_DAEMON_SET = f"{FLANNEL_NAMESPACE}/kube-flannel-ds"
PROXY_DAEMON_SET = f"{SYSTEM}/kube-proxy"
CILIUM_DAEMON_SET = f"{SYSTEM}/cilium"
CONFLISTS = {"cilium": "05-cilium.conflist", "flannel": "10-flannel.conflist"}


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What the last `up` wrote down. `measured` is when the network was verified last (RFC 3339), `measure_urn` the
    resource that did it."""

    generation: str
    epoch: str
    cni: str
    measured: str
    measure_urn: str


@dataclass(frozen=True, kw_only=True)
class Promise:
    """`images` are those that a DaemonSet may have, `config_maps` the data of those that this project writes, both by
    NAMESPACE/NAME. `values` are Cilium's Helm values, empty under Flannel; `guarded`: something of them is a secret.
    `chart_version` is empty where the chart's path decides."""

    stack: str
    cluster: str
    cni: str
    nodes: tuple[str, ...]
    control_plane: str
    pod_subnet: str
    images: Mapping[str, frozenset[str]]
    config_maps: Mapping[str, Mapping[str, str]]
    values: Mapping[str, Any]
    guarded: bool
    chart_version: str
    kept: Kept

    @property
    def services(self) -> str:
        """Who serves Services, by the node's label."""
        return "cilium" if self.cni == "cilium" else "kube-proxy"

    def value(self, *path: str) -> object:
        """A Helm value, None where it is not given."""
        found: object = self.values
        for key in path:
            found = cast("Mapping[str, object]", found).get(key) if isinstance(found, Mapping) else None
        return found


def promise_of(stack: str, settings: Settings, kept: Kept) -> Promise:
    """The promise of a stack that has been brought up."""
    cluster, images = settings.cluster, settings.images
    need = requirements(settings)
    names = node_names(cluster.name, cluster.control_planes, cluster.workers)
    flannels = settings.cni == "flannel"
    api = f"{api_host(cluster.name, cluster.control_planes)}:{API_PORT}"
    return Promise(
        stack=stack,
        cluster=cluster.name,
        cni=settings.cni,
        nodes=tuple(names),
        control_plane=names[0],
        pod_subnet=cluster.pod_subnet,
        images={
            FLANNEL_DAEMON_SET: frozenset((images.flannel, images.flannel_cni, images.cni_plugins)),
            PROXY_DAEMON_SET: frozenset((images.kube_proxy,)),
        }
        if flannels
        else {},
        config_maps={
            f"{FLANNEL_NAMESPACE}/kube-flannel-cfg": flannel_files(cluster.pod_subnet),
            f"{SYSTEM}/kube-proxy": kube_proxy_files(api, cluster.pod_subnet),
        }
        if flannels
        else {},
        values=need.values,
        guarded=need.secret,
        chart_version=need.chart.version if need.chart else "",
        kept=kept,
    )


def kept_from(exported: str) -> Kept | None:
    """What is in a stack's exported state, None where no `up` of it has got as far as its verification. Raises
    ValueError for what is no state."""
    try:
        deployment = json.loads(exported)["deployment"]
        resources = cast("Sequence[dict[str, Any]]", deployment.get("resources") or [])
        by_name = {str(item["urn"]).rsplit("::", 1)[-1]: item for item in resources}
        claim, measure = by_name.get("migration-claim"), by_name.get("verification-measure")
        if claim is None or measure is None:
            return None
        generation, epoch, cni, *_ = cast("list[str]", claim["inputs"]["triggers"])
        measured = str(measure.get("modified") or "")
        return Kept(generation=generation, epoch=epoch, cni=cni, measured=measured, measure_urn=measure["urn"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"the stack's state cannot be read ({error!r})") from error
