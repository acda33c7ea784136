"""What a probe reaches: a Service by its ClusterIP, names inside and outside the cluster by the cluster's DNS, and each
probe Pod by its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from steps.doors import probe
from steps.doors.kubectl import Kubectl
from steps.doors.probe import Probe
from steps.findings.verdict import Reach
from steps.names import MEASUREMENT, PROBE, SYSTEM
from steps.running import StepError

# Seconds for which a probe tries each.
_TRIES = 30


@dataclass(frozen=True, kw_only=True)
class Targets:
    """`service` is ADDRESS:PORT; `dns` and `api` are ClusterIPs; `domain` is the cluster's own in its DNS; `pods` has
    the node of each probe Pod by its ADDRESS:PORT."""

    service: str
    dns: str
    api: str
    domain: str
    pods: Mapping[str, str]


def targets(kubectl: Kubectl, port: int, pods: Mapping[str, Probe]) -> Targets:
    """What the probes are to reach, as the cluster has it now."""
    return Targets(
        service=f"{_cluster_ip(kubectl, MEASUREMENT, PROBE)}:{port}",
        dns=_cluster_ip(kubectl, SYSTEM, "kube-dns"),
        api=_cluster_ip(kubectl, "default", "kubernetes"),
        domain=_domain(kubectl),
        pods={f"{pod.address}:{port}": node for node, pod in pods.items()},
    )


def reach_of(kubectl: Kubectl, asked: Probe, at: Targets) -> Reach:
    """What `asked` reaches. Raises StepError where it gives no answer, which is not the answer `no`."""
    env = {
        "SERVICE": at.service,
        "DNS": at.dns,
        "API": at.api,
        "DOMAIN": at.domain,
        "NODE": asked.node,
        "SECONDS_MAX": str(_TRIES),
    }
    answer = probe.ask(kubectl, asked, "reach", *at.pods, env=env, timeout=4 * _TRIES)
    return parse_reach(asked.node, asked.app, answer, at.pods)


def parse_reach(node: str, app: str, answer: str, pods: Mapping[str, str]) -> Reach:
    """Reads what reach.sh prints. Raises StepError for a line that it does not print, and for one that is missing."""
    wanted = ["services", "dns", *(f"pod {address}" for address in pods)]
    said: dict[str, bool] = {}
    reasons: list[str] = []
    for line in answer.splitlines():
        key, _, value = line.rpartition(" ")
        if line.startswith("why "):
            reasons.append(f"{node} ({app}): {line.removeprefix('why ')}")
        elif key in wanted and key not in said and value in ("true", "false"):
            said[key] = value == "true"
        else:
            raise StepError(f"it says {line[:200]!r}, which is no finding")
    missing = [key for key in wanted if key not in said]
    if missing:
        raise StepError(f"it says nothing of {' and '.join(missing)}")
    return Reach(
        where=f"{node} {app}",
        services=said["services"],
        dns=said["dns"],
        why="; ".join(reasons),
        pods={name: said[f"pod {address}"] for address, name in pods.items()},
    )


def domain_from(configuration: str) -> str:
    """The DNS domain in kubeadm's ClusterConfiguration. Raises StepError where it is not in there."""
    try:
        domain = yaml.safe_load(configuration)["networking"]["dnsDomain"]
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise StepError(f"kubeadm's configuration names no DNS domain: {configuration[:200]!r}") from error
    return str(domain)


def _domain(kubectl: Kubectl) -> str:
    item = kubectl.object("configmap", "kubeadm-config", namespace=SYSTEM)
    if item is None:
        raise StepError("there is no ConfigMap kubeadm-config in kube-system, which names the cluster's DNS domain")
    data: dict[str, str] = item.get("data") or {}
    return domain_from(data.get("ClusterConfiguration", ""))


def _cluster_ip(kubectl: Kubectl, namespace: str, name: str) -> str:
    item = kubectl.object("service", name, namespace=namespace)
    address = item["spec"].get("clusterIP", "") if item else ""
    if not address or address == "None":
        raise StepError(f"the Service {namespace}/{name} has no ClusterIP")
    return str(address)
