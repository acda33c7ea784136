"""The choice of the CNI: which component, from the setting."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.cni.cilium import ChartSource, Cilium, CiliumArgs, chart_source, cilium_values
from components.cni.flannel import Flannel, FlannelArgs, flannel_files
from components.gate import Gate
from settings import Settings
from settings.kind import API_PORT, api_host


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What the CNI needs to start, made once: preflight asks for it, and the release is made of it. `chart` is None
    where there is none; Cilium's images are read out of its rendered chart. `secret`: something of the chart's source
    or its values is."""

    images: tuple[str, ...]
    chart: ChartSource | None
    values: Mapping[str, Any]
    secret: bool = False

    @property
    def values_json(self) -> str:
        """The Helm values as JSON, empty where there is no chart."""
        return json.dumps(self.values, sort_keys=True) if self.chart else ""

    def guarded(self, value: Any) -> pulumi.Input[Any]:
        """What is made of the chart's source or its values, as a resource gets it: a secret where those hold one."""
        return pulumi.Output.secret(value) if self.secret else value


def requirements(settings: Settings) -> Requirements:
    """The images, and for Cilium the chart and its values. Pure."""
    images, cluster = settings.images, settings.cluster
    if settings.cni == "flannel":
        ours = (images.flannel, images.flannel_cni, images.cni_plugins, images.kube_proxy, images.probe)
        return Requirements(images=ours, chart=None, values={})
    cilium = settings.cilium
    host = api_host(cluster.name, cluster.control_planes)
    return Requirements(
        images=(images.probe,),
        chart=chart_source(cilium.chart, cilium.repository, cilium.version),
        values=cilium_values(cluster.pod_subnet, host, API_PORT, cilium.values),
        secret=settings.cilium_is_secret,
    )


def digest(settings: Settings, need: Requirements) -> pulumi.Input[str]:
    """A short hash of everything that shapes the CNI: what was verified is verified again when it changes. A secret
    where the values are: what few people would choose could be guessed from its hash."""
    chart = [need.chart.chart, need.chart.repository, need.chart.version] if need.chart else []
    shape = [settings.cni, need.images, chart, need.values_json, flannel_files(settings.cluster.pod_subnet)]
    return need.guarded(hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:12])


def create_cni(settings: Settings, need: Requirements, gate: Gate, provider: kubernetes.Provider) -> Flannel | Cilium:
    """The component of the stack's CNI; `ready` of it is what has to be up before anything is verified."""
    cluster, images = settings.cluster, settings.images
    if need.chart is None:
        return Flannel(
            "flannel",
            FlannelArgs(
                image=images.flannel,
                cni_image=images.flannel_cni,
                plugins_image=images.cni_plugins,
                kube_proxy_image=images.kube_proxy,
                pod_subnet=cluster.pod_subnet,
                api_host=api_host(cluster.name, cluster.control_planes),
                api_port=API_PORT,
                gate=gate,
                provider=provider,
            ),
        )
    return Cilium(
        "cilium",
        CiliumArgs(
            cluster=cluster.name,
            chart=need.chart,
            values=need.guarded(need.values),
            repository=need.guarded(need.chart.repository) if need.chart.repository else None,
            gate=gate,
            provider=provider,
        ),
    )
