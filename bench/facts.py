"""What a benchmark has to say of itself so that somebody else can repeat it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.answers import NoSampleError
from bench.pulumi import ROOT
from bench.results import Run
from bench.shapes import VALUES
from bench.subject import Subject
from bench.workloads import CLIENT, EQUAL_MSS, PACE
from steps.doors import helm
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError, run

# What an interrupted benchmark may not go on without: figures of two machines, or of two networks, make no pair.
SAME = ("settings", "machine", "versions", "clusters")
# Seconds that a question may take which measures nothing. It is asked while two clusters are still settling.
PATIENCE = 60
# Where the pods of a CNI are.
NAMESPACES = ("kube-system", "kube-flannel")


def settings(seconds: int, steal_limit: float, attempts: int, *, training: bool, ranks: int) -> Mapping[str, Any]:
    """The benchmark's own."""
    return {
        "seconds": seconds,
        "stealLimit": steal_limit,
        "attempts": attempts,
        "pacedGbits": PACE,
        "equalMss": EQUAL_MSS,
        "training": training,
        "ranks": ranks,
    }


def machine() -> Mapping[str, Any]:
    """The processors, memory and kernel under both clusters."""
    about = _about(Path("/proc/cpuinfo").read_text())
    memory = _about(Path("/proc/meminfo").read_text())["MemTotal"]
    return {
        "kernel": platform.release(),
        "cpu": about.get("model name", platform.machine()),
        "cpus": os.cpu_count() or 0,
        "memory": memory,
        "virtual": "hypervisor" in about.get("flags", "").split(),
        "congestionControl": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
    }


def tools() -> Mapping[str, str]:
    """The versions of what makes a cluster."""
    return {
        "docker": run(["docker", "version", "--format", "{{.Server.Version}}"]).strip(),
        "kind": _first(run(["kind", "version"])),
        "pulumi": _first(run(["pulumi", "version"])),
    }


def versions(side: Subject, *, training: bool) -> Mapping[str, str]:
    """The versions of the tools in the Pods, and of what makes the clusters."""
    found = {
        **tools(),
        "iperf3": _first(side.ask(CLIENT, ["iperf3", "--version"], PATIENCE)),
        "sockperf": _first(side.ask(CLIENT, ["sockperf", "--version"], PATIENCE)),
        "ab": _first(side.ask(CLIENT, ["ab", "-V"], PATIENCE)),
    }
    if training:
        found["torch"] = _first(
            side.ask("rank-0", ["python3", "-c", "import torch; print(torch.__version__)"], PATIENCE)
        )
    return found


def cluster(side: Subject, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Which network it is, by what was verified, and what its Pods and nodes see of it."""
    mtu = ["cat", "/sys/class/net/eth0/mtu"]
    return {
        **network(side.kubectl, outputs),
        "podMtu": int(side.ask(CLIENT, mtu, PATIENCE)),
        "nodeMtu": int(side.ask("host-client", mtu, PATIENCE)),
    }


def network(kubectl: Kubectl, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Which network it is, of what, and how it was set: what a stack says, and what its cluster runs."""
    nodes = kubectl.objects("nodes")
    pods = [pod for namespace in NAMESPACES for pod in kubectl.objects("pods", namespace=namespace)]
    release = helm.release(kubectl.kubeconfig, "kube-system", "cilium")
    verified = outputs["verification"]
    return {
        "cni": outputs["cni"],
        "nodes": len(nodes),
        "kubernetes": sorted({str(node["status"]["nodeInfo"]["kubeletVersion"]) for node in nodes}),
        "routing": verified["routing"],
        "encapsulation": verified["encapsulation"],
        "overheadBytes": verified["overheadBytes"],
        "kubeProxyReplacement": verified["kubeProxyReplacement"],
        "images": sorted({str(container["image"]) for pod in pods for container in pod["spec"]["containers"]}),
        "chart": release.chart if release else "",
        VALUES: dict(release.values) if release else {},
    }


def project() -> str:
    """The commit that is measured, `-dirty` with changes; a checkout without git has none."""
    try:
        return run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"]).strip()
    except ToolError as error:
        return f"unknown: {error.said.strip().splitlines()[0] if error.said.strip() else 'no git'}"


def differences(before: Run, now: Run) -> list[str]:
    """What differs in what has to be the same, as NAME.KEY: was … is …"""
    found: list[str] = []
    for name in SAME:
        was, is_ = getattr(before, name), getattr(now, name)
        for key in sorted({*was, *is_}):
            if was.get(key) != is_.get(key):
                found.append(f"{name}.{key}: was {was.get(key)!r}, is {is_.get(key)!r}")
    return found


def _about(text: str) -> dict[str, str]:
    """The first block of a file of NAME: VALUE."""
    lines = [line.partition(":") for line in text.split("\n\n", 1)[0].splitlines()]
    return {name.strip(): value.strip() for name, _, value in lines}


def _first(text: str) -> str:
    line = text.strip().splitlines()[:1]
    if not line:
        raise NoSampleError("a tool does not say which version it is")
    return line[0]
