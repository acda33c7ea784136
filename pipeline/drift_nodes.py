"""What the API has of each node: labels, cordon, readiness, and its agents. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.drift_facts import Objects
from pipeline.drift_promise import Promise
from pipeline.drift_report import Finding
from steps.doors.kubectl import Object
from steps.names import AGENTS, FLANNEL_NAMESPACE, KUBE_PROXY, OWNER_LABEL, SERVICES_LABEL, SYSTEM
from steps.nodes import Node
from steps.objects import full_name, labels_of, part, parts
from steps.old_cni import AGENT_TAINT


@dataclass(frozen=True, kw_only=True)
class Agent:
    """An agent that has to run on every node: its namespace and its Pods' label."""

    name: str
    namespace: str
    selector: str

    def runs_as(self, pod: Object) -> bool:
        """Whether the Pod is one of its."""
        key, _, value = self.selector.partition("=")
        return part(pod, "metadata").get("namespace") == self.namespace and labels_of(pod).get(key) == value


CILIUM = Agent(name="Cilium's agent", namespace=SYSTEM, selector=AGENTS["cilium"])
FLANNEL = Agent(name="flanneld", namespace=FLANNEL_NAMESPACE, selector=AGENTS["flannel"])
PROXY = Agent(name="kube-proxy", namespace=SYSTEM, selector=KUBE_PROXY)


def agents_of(cni: str) -> tuple[Agent, ...]:
    """Those that a CNI has on each node."""
    return (CILIUM,) if cni == "cilium" else (FLANNEL, PROXY)


def node_findings(promise: Promise, objects: Objects) -> Iterator[Finding]:
    """Of every node that the settings name and the API has."""
    for node in objects.nodes:
        if node.name not in promise.nodes:
            continue
        for label, wanted in {OWNER_LABEL: promise.cni, SERVICES_LABEL: promise.services}.items():
            found = objects.labels[node.name].get(label, "")
            if found != wanted:
                yield Finding(
                    kind="label",
                    where=node.name,
                    says=f"its label {label} is {found or 'missing'}, not {wanted}: its agents go by that",
                    remedy=f"kubectl label node {node.name} {label}={wanted} --overwrite",
                )
        yield from _state(node, promise)
        for agent in agents_of(promise.cni):
            pods = [it for it in objects.pods if agent.runs_as(it) and _node_of(it) == node.name]
            yield from _agent(node.name, agent, pods)


def _state(node: Node, promise: Promise) -> Iterator[Finding]:
    if not node.ready:
        yield Finding(
            kind="node",
            where=node.name,
            says="it is not Ready",
            remedy=f"kubectl describe node {node.name}",
        )
    if node.cordoned == "by-move":
        yield Finding(
            kind="cordon",
            where=node.name,
            says="it is cordoned by a move that has ended: it takes no Pods",
            remedy=f"kubectl uncordon {node.name}",
        )
    if promise.cni != "cilium" and AGENT_TAINT in node.taints:
        yield Finding(
            kind="cordon",
            where=node.name,
            says=f"it has the taint {AGENT_TAINT} of a Cilium that is not there: it takes no Pods",
            remedy=f"kubectl taint node {node.name} {AGENT_TAINT}-",
        )


def _agent(node: str, agent: Agent, pods: list[Object]) -> Iterator[Finding]:
    if not pods:
        yield Finding(
            kind="agent",
            where=node,
            says=f"{agent.name} does not run there",
            remedy=f"kubectl --namespace={agent.namespace} get daemonsets,pods --selector={agent.selector} -o wide",
        )
    for pod in pods:
        if not is_ready(pod):
            yield Finding(
                kind="agent",
                where=node,
                says=f"{agent.name} is not Ready there (pod {full_name(pod)}, {_phase(pod)})",
                remedy=f"kubectl --namespace={agent.namespace} describe pod {part(pod, 'metadata')['name']}",
            )


def is_ready(pod: Object) -> bool:
    """Whether it says that it is."""
    conditions = parts(pod, "status", "conditions")
    return any(it.get("type") == "Ready" and it.get("status") == "True" for it in conditions)


def _node_of(pod: Object) -> str:
    return str(part(pod, "spec").get("nodeName", ""))


def _phase(pod: Object) -> str:
    return str(part(pod, "status").get("phase", "without a phase"))
