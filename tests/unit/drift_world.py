"""A cluster that is as its stack promises, as what the tools answer of it; a test plants one thing and looks again."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.drift_facts import Container
from pipeline.drift_facts import World as Around
from pipeline.drift_promise import Kept, Promise, promise_of
from plan.ownership import Marker
from settings import Settings, parse
from settings.strategy import RECREATE, Strategy
from steps import bolt
from steps.cilium_kinds import CRDS
from steps.doors.helm import Release
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError

NODES = ("c-control-plane", "c-worker", "c-worker2")
MEASURED = "2026-11-26T05:00:00.123456Z"
KEPT = Kept(generation="20261126T040000", epoch="3", cni="cilium", measured=MEASURED, measure_urn="urn:m")
CILIUM_CONFLIST = '{"cniVersion":"0.3.1","name":"cilium","plugins":[{"type":"cilium-cni"}]}'
CONFIG = {"routing-mode": "native", "enable-hubble": "true", "debug": "false"}
MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
data: {routing-mode: native, enable-hubble: "true", debug: "false"}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: cilium, namespace: kube-system}
spec: {template: {spec: {nodeSelector: {cni-owner: cilium}, initContainers: [{name: config, image: "cilium:1"}],
  containers: [{name: cilium-agent, image: "cilium:1", args: [--config-dir]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hubble-relay, namespace: kube-system}
spec: {template: {spec: {containers: [{name: relay, image: "relay:1"}]}}}
"""


def named(kind: str, name: str, namespace: str = "", **rest: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, **({"namespace": namespace} if namespace else {})}, **rest}


def pod(name: str, node: str, namespace: str, labels: Mapping[str, str], address: str = "") -> dict[str, Any]:
    item = named("Pod", name, namespace, spec={"nodeName": node})
    item["metadata"] |= {"labels": dict(labels), "uid": f"uid-{name}"}
    item["status"] = {
        "phase": "Running",
        "podIP": address,
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"state": {"running": {"startedAt": "2026-11-26T04:50:00Z"}}}],
    }
    return item


def workload(kind: str, namespace: str, name: str, images: Mapping[str, str], **status: Any) -> dict[str, Any]:
    containers = [{"name": key, "image": image} for key, image in images.items()]
    return named(kind, name, namespace, spec={"template": {"spec": {"containers": containers}}}, status=status)


@dataclass
class World(Kubectl):
    """What kubectl, Helm and the nodes' scripts answer. `silent` are words: a question with one of them fails."""

    settings: Settings
    promise: Promise
    around: Around
    nodes: list[dict[str, Any]]
    pods: list[dict[str, Any]]
    workloads: list[dict[str, Any]]
    config_maps: list[dict[str, Any]]
    kinds: list[str]
    admission: list[dict[str, Any]]
    helm: Release | None
    left: dict[str, list[str]]
    said: dict[str, list[str]]
    services: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    others: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    silent: set[str] = field(default_factory=set[str])
    asked: list[Sequence[str]] = field(default_factory=list[Sequence[str]])

    def __post_init__(self) -> None:
        super().__init__(Path("kubeconfig"))

    def run(self, *args: str, stdin: str = "", timeout: float = 120) -> str:
        self.asked.append(args)
        if args[0] != "get" or stdin:
            raise AssertionError(f"a look for drift would write: kubectl {' '.join(args)}")
        if args[1] in self.silent:
            raise ToolError(f"`kubectl get {args[1]}` failed: connection refused", "connection refused")
        namespace = next((it.partition("=")[2] for it in args if it.startswith("--namespace=")), "")
        return json.dumps({"items": self._items(args[1], namespace)})

    def _items(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        match kind:
            case "nodes,pods,services,daemonsets.apps,deployments.apps":
                return [*self.nodes, *self.pods, *self.workloads, *self.services]
            case "configmaps":
                return [it for it in self.config_maps if it["metadata"]["namespace"] == namespace]
            case "customresourcedefinitions":
                return [named("CustomResourceDefinition", name) for name in self.kinds]
            case "validatingadmissionpolicies,validatingadmissionpolicybindings":
                return self.admission
            case _:
                return self.others.get(kind, [])

    def on_node(self, name: str, script: str, *args: str, **_: Any) -> str:
        if name in self.silent:
            raise ToolError(f"`docker exec {name}` failed: it is not running")
        if script == "clean":
            return "\n".join(self.left[name])
        reached = (
            [] if any(line.startswith("reach ") for line in self.said[name]) else [f"reach {it} true" for it in args]
        )
        return "\n".join([*self.said[name], *reached])

    def release(self, *_: Any) -> Release | None:
        if "helm" in self.silent:
            raise ToolError("`helm list` failed: forbidden")
        return self.helm

    def find(self, kind: str, name: str) -> dict[str, Any]:
        """The object of the API, to plant something in it."""
        everything = [*self.nodes, *self.pods, *self.workloads, *self.config_maps, *self.admission, *self.services]
        return next(it for it in everything if (it["kind"], it["metadata"]["name"]) == (kind, name))

    def without(self, kind: str, name: str) -> None:
        for items in (self.nodes, self.pods, self.workloads, self.config_maps, self.admission, self.services):
            items[:] = [it for it in items if (it["kind"], it["metadata"]["name"]) != (kind, name)]


def world(cni: str, strategy: Strategy = RECREATE, **over: Any) -> World:
    """The cluster `c` of stack `s` as the last migration by `strategy` left it."""
    settings = parse({"cni": cni, "cluster": {"name": "c"}, "migration": {"strategy": strategy.name}, **over})
    promise = promise_of("s", settings, replace(KEPT, cni=cni))
    marker = Marker(stack="s", cni=cni, generation=KEPT.generation, epoch=3, phase="ready", strategy=strategy)
    containers = tuple(Container(name=name, started="2026-11-26T04:00:01.5Z") for name in NODES)
    services = "cilium" if cni == "cilium" else "kube-proxy"
    nodes = [_node(index, name, {"cni-owner": cni, "cni-services": services}) for index, name in enumerate(NODES)]
    probes = [
        pod(f"probe-{index}", name, "cni-migration", {"app": "probe"}, f"10.244.{index}.9")
        for index, name in enumerate(NODES)
    ]
    build = _cilium if cni == "cilium" else _flannel
    return build(
        settings=settings,
        promise=promise,
        around=Around(containers=containers, marker=marker, differs=()),
        nodes=nodes,
        pods=probes,
        admission=[bolt.policy(), bolt.binding()],
    )


def _node(index: int, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    item = named("Node", name, spec={"podCIDR": f"10.244.{index}.0/24"})
    item["metadata"]["labels"] = dict(labels)
    item["status"] = {
        "addresses": [{"type": "InternalIP", "address": f"172.18.0.{index + 2}"}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    return item


def _conflist(name: str, text: str) -> str:
    return f"conflist {name} {base64.b64encode(text.encode()).decode()}"


def _said(index: int, conflist: str, rp_filter: str, peers: Sequence[str], more: Sequence[str]) -> list[str]:
    return [
        conflist,
        _conflist("200-loopback.conf", "{}"),
        "sysctl net.ipv4.ip_forward 1",
        f"sysctl net.ipv4.conf.all.rp_filter {rp_filter}",
        "route default via 172.18.0.1 dev eth0",
        "route 172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.2",
        *(f"route {peer}" for at, peer in enumerate(peers) if at != index),
        *more,
    ]


def _cilium(*, pods: list[dict[str, Any]], promise: Promise, **rest: Any) -> World:
    agents = [pod(f"cilium-{at}", name, "kube-system", {"k8s-app": "cilium"}) for at, name in enumerate(NODES)]
    config = named("ConfigMap", "cilium-config", "kube-system", data=dict(CONFIG))
    agent = workload("DaemonSet", "kube-system", "cilium", {"cilium-agent": "cilium:1"})
    spec = agent["spec"]["template"]["spec"]
    spec |= {"nodeSelector": {"cni-owner": "cilium"}, "initContainers": [{"name": "config", "image": "cilium:1"}]}
    spec["containers"][0]["args"] = ["--config-dir"]
    relay = workload("Deployment", "kube-system", "hubble-relay", {"relay": "relay:1"}, availableReplicas=1)
    page = workload("Deployment", "kube-system", "hubble-ui", {"frontend": "ui:1"}, availableReplicas=1)
    ports = [{"port": 80, "nodePort": 31235}]
    digests = [f"{key} {sha256(text.encode()).hexdigest()}" for key, text in CONFIG.items()]
    peers = [f"10.244.{at}.0/24 via 172.18.0.{at + 2} dev eth0 proto kernel" for at in range(3)]
    own = ["path /etc/cni/net.d/05-cilium.conflist: /etc/cni/net.d/05-cilium.conflist"]
    own += ["path /opt/cni/bin/cilium-cni: /opt/cni/bin/cilium-cni"]
    own += ["link cilium_*: cilium_host", "link cilium_*: cilium_net"]
    return World(
        promise=promise,
        pods=[*pods, *agents],
        workloads=[agent, relay, page],
        services=[named("Service", "hubble-ui", "kube-system", spec={"type": "NodePort", "ports": ports})],
        config_maps=[config],
        kinds=[*CRDS, "tracingpolicies.cilium.io"],
        helm=Release(chart="cilium-1.19.4", status="deployed", revision=1, values=promise.values, manifest=MANIFEST),
        left={name: list(own) for name in NODES},
        said={
            name: _said(
                at,
                _conflist("05-cilium.conflist", CILIUM_CONFLIST),
                "0",
                peers,
                [
                    f"route 10.244.{at}.0/24 via 10.244.{at}.7 dev cilium_host proto kernel src 10.244.{at}.7",
                    *(f"agent uid-cilium-{at} {line}" for line in digests),
                    f"agent uid-cilium-{at} config-sources {'0' * 64}",
                ],
            )
            for at, name in enumerate(NODES)
        },
        **rest,
    )


def _flannel(*, pods: list[dict[str, Any]], promise: Promise, **rest: Any) -> World:
    agents = [pod(f"flannel-{at}", name, "kube-flannel", {"app": "flannel"}) for at, name in enumerate(NODES)]
    proxies = [pod(f"proxy-{at}", name, "kube-system", {"k8s-app": "kube-proxy"}) for at, name in enumerate(NODES)]
    flannel, proxy = promise.images["kube-flannel/kube-flannel-ds"], promise.images["kube-system/kube-proxy"]
    maps: list[dict[str, Any]] = []
    for full, data in promise.config_maps.items():
        namespace, _, name = full.partition("/")
        item = named("ConfigMap", name, namespace, data=dict(data))
        item["metadata"]["managedFields"] = [{"time": "2026-11-26T04:40:00Z", "fieldsV1": {"f:data": {}}}]
        maps.append(item)
    own = [f"path {it}: {it}" for it in ("/etc/cni/net.d/10-flannel.conflist", "/opt/cni/bin/flannel", "/run/flannel")]
    own += ["link flannel.1: flannel.1", "chains FLANNEL-: iptables-nft nat FLANNEL-POSTRTG"]
    own += [f"chains KUBE-: iptables-nft nat KUBE-SVC-{number}" for number in range(9)]
    conflist = promise.config_maps["kube-flannel/kube-flannel-cfg"]["cni-conf.json"]
    return World(
        promise=promise,
        pods=[*pods, *agents, *proxies],
        workloads=[
            workload(
                "DaemonSet", "kube-flannel", "kube-flannel-ds", {str(at): it for at, it in enumerate(sorted(flannel))}
            ),
            workload("DaemonSet", "kube-system", "kube-proxy", {"kube-proxy": next(iter(proxy))}),
        ],
        config_maps=maps,
        kinds=["tracingpolicies.cilium.io"],
        helm=None,
        left={name: list(own) for name in NODES},
        said={
            name: _said(
                at,
                _conflist("10-flannel.conflist", conflist),
                "1",
                [f"10.244.{peer}.0/24 via 10.244.{peer}.0 dev flannel.1 onlink" for peer in range(3)],
                [f"route 10.244.{at}.0/24 dev cni0 proto kernel scope link src 10.244.{at}.1"],
            )
            for at, name in enumerate(NODES)
        },
        **rest,
    )
