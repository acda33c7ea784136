"""What the program makes inside the cluster, as functions: the tests of the engine's order have no API to keep objects
in, and give others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi
import pulumi_kubernetes as kubernetes

from components.cni.choice import Requirements, create_cni
from components.gate import Gate
from components.measurement.probes import Probes, ProbesArgs, probe_namespace
from components.measurement.traffic import TrafficProbe, TrafficProbeArgs
from settings import Settings


class Ready(Protocol):
    """Something made in the cluster; `ready` is what has to be up before anything is verified."""

    ready: list[pulumi.Resource]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """One function a part, with the arguments of what it stands for."""

    cni: Callable[[Settings, Requirements, Gate, kubernetes.Provider], Ready] = create_cni
    probe_namespace: Callable[[str, pulumi.ResourceOptions], pulumi.Resource] = probe_namespace
    probes: Callable[[str, ProbesArgs], Ready] = Probes
    traffic: Callable[[str, TrafficProbeArgs, pulumi.ResourceOptions], Ready] = TrafficProbe


def ready_of(parts: Sequence[Ready]) -> list[pulumi.Resource]:
    """Everything that has to be up."""
    return [resource for part in parts for resource in part.ready]
