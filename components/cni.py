"""The choice of the CNI: which component, from the setting."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import pulumi_kubernetes as kubernetes

from components.cilium import Cilium, CiliumArgs, chart_source, cilium_values
from components.flannel import Flannel, FlannelArgs, flannel_files
from components.gate import Gate
from settings import Settings

API_PORT = 6443


def api_host(cluster: str, control_planes: int) -> str:
    """The API server's name on the nodes' network: kind puts a load balancer before several control planes."""
    return f"{cluster}-control-plane" if control_planes == 1 else f"{cluster}-external-load-balancer"


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What preflight has to see before the old CNI goes. Cilium's images are read out of its rendered chart."""

    images: tuple[str, ...]
    chart: dict[str, str]
    values: str


def requirements(settings: Settings) -> Requirements:
    """The images, and for Cilium the chart and its values as JSON. Pure."""
    images = settings.images
    if settings.cni == "flannel":
        ours = (images.flannel, images.flannel_cni, images.cni_plugins, images.kube_proxy, images.probe)
        return Requirements(images=ours, chart={}, values="")
    cilium = settings.cilium
    return Requirements(
        images=(images.probe,),
        chart=chart_source(cilium.chart, cilium.repository, cilium.version),
        values=json.dumps(_values(settings), sort_keys=True),
    )


def digest(settings: Settings) -> str:
    """A short hash of everything that shapes the CNI: what was verified is verified again when it changes."""
    need = requirements(settings)
    shape = [settings.cni, need.images, need.chart, need.values, flannel_files(settings.cluster.pod_subnet)]
    return hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:12]


def _values(settings: Settings) -> dict[str, object]:
    cluster = settings.cluster
    host = api_host(cluster.name, cluster.control_planes)
    return cilium_values(cluster.pod_subnet, host, API_PORT, settings.cilium.values)


def create_cni(settings: Settings, gate: Gate, provider: kubernetes.Provider) -> Flannel | Cilium:
    """The component of the stack's CNI; `ready` of it is what has to be up before anything is verified."""
    cluster, images, cilium = settings.cluster, settings.images, settings.cilium
    host = api_host(cluster.name, cluster.control_planes)
    if settings.cni == "flannel":
        return Flannel(
            "flannel",
            FlannelArgs(
                image=images.flannel,
                cni_image=images.flannel_cni,
                plugins_image=images.cni_plugins,
                kube_proxy_image=images.kube_proxy,
                pod_subnet=cluster.pod_subnet,
                api_host=host,
                api_port=API_PORT,
                gate=gate,
                provider=provider,
            ),
        )
    return Cilium(
        "cilium",
        CiliumArgs(
            cluster=cluster.name,
            chart=cilium.chart,
            repository=cilium.repository,
            version=cilium.version,
            pod_subnet=cluster.pod_subnet,
            api_host=host,
            api_port=API_PORT,
            values=cilium.values,
            gate=gate,
            provider=provider,
        ),
    )
