"""Asks the API, Helm and every node side by side, and judges what each of them has answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline.drift_ask_cluster import Installed, Kinds, ask_bolt, ask_kinds, ask_objects, ask_release
from pipeline.drift_ask_nodes import ask_node
from pipeline.drift_configs import config_findings, hubble_findings
from pipeline.drift_facts import NodeFacts, Objects
from pipeline.drift_fences import bolt_findings, keeper_findings, kind_findings
from pipeline.drift_nodes import node_findings
from pipeline.drift_owner import registered_findings
from pipeline.drift_promise import Promise
from pipeline.drift_release import release_findings
from pipeline.drift_rendered import agent_config_findings, rendered_findings, unread_agents
from pipeline.drift_report import Finding, Unasked
from pipeline.drift_residue import residue_findings, rows_for
from pipeline.drift_wires import conflist_findings, pod_findings, route_findings, sysctl_findings
from pipeline.drift_workloads import workload_findings
from steps.complete import Failed, attempt
from steps.doors.kubectl import Kubectl, Object
from steps.doors.probe import Probe, probes_from
from steps.names import MEASUREMENT, PROBE, PROBE_PORT
from steps.objects import labels_of, part
from steps.side_by_side import each

Answer = NodeFacts | Kinds | Installed | tuple[Object, ...] | None | Failed


def compare(promise: Promise, kubectl: Kubectl, containers: Sequence[str]) -> tuple[list[Finding], list[Unasked]]:
    """All findings, and what could not be asked. Raises StepError where the API has no list of its nodes: then nobody
    knows whom to ask."""
    objects = ask_objects(kubectl)
    probes = probes_of(objects)
    answers = _answers(promise, kubectl, containers, objects, probes)
    unasked = [
        Unasked(what=what, why=" ".join(it.why.split())) for what, it in answers.items() if isinstance(it, Failed)
    ]
    unasked += [
        Unasked(what=f"a Pod's network on {name}", why=f"no Pod {MEASUREMENT}/{PROBE} runs there")
        for name in promise.nodes
        if name not in probes
    ]
    unasked += unread_agents(promise, [it for it in answers.values() if isinstance(it, NodeFacts)], objects)
    return judged(promise, objects, answers, probes), unasked


def judged(
    promise: Promise, objects: Objects, answers: Mapping[str, Answer], probes: Mapping[str, Probe]
) -> list[Finding]:
    """The findings of what was answered. Pure."""
    findings = [
        *registered_findings(promise, objects),
        *node_findings(promise, objects),
        *workload_findings(promise, objects),
        *config_findings(promise, objects),
        *hubble_findings(promise, objects),
    ]
    peers = [node.address for node in objects.nodes if node.address]
    nodes = [it for it in answers.values() if isinstance(it, NodeFacts)]
    for facts in nodes:
        findings += [
            *residue_findings(promise, facts, peers),
            *conflist_findings(promise, facts),
            *sysctl_findings(promise, facts),
            *route_findings(promise, facts, objects.nodes),
        ]
    findings += pod_findings(nodes, probes, PROBE_PORT)
    kinds, installed, bolt = answers.get(KINDS), answers.get(RELEASE), answers.get(BOLT)
    own: frozenset[str] = frozenset()
    if isinstance(kinds, Kinds):
        own = kinds.node_keys
        findings += [*kind_findings(promise, kinds.names), *keeper_findings(objects, kinds.keepers)]
    if isinstance(bolt, tuple):
        findings += bolt_findings(promise, bolt)
    if promise.cni == "cilium":
        if not isinstance(installed, Failed):
            release = installed if isinstance(installed, Installed) else None
            findings += release_findings(promise, release.release if release else None)
            findings += rendered_findings(promise, release.objects, objects) if release else []
        findings += agent_config_findings(nodes, objects, own)
    return findings


KINDS, RELEASE, BOLT = "the kinds and their owners", "the Helm release", "the bolt"


def probes_of(objects: Objects) -> dict[str, Probe]:
    """The probe Pods on the Pod network, by node."""
    pods = [it for it in objects.pods if part(it, "metadata").get("namespace") == MEASUREMENT]
    return probes_from(PROBE, [it for it in pods if labels_of(it).get("app") == PROBE])


def _answers(
    promise: Promise,
    kubectl: Kubectl,
    containers: Sequence[str],
    objects: Objects,
    probes: Mapping[str, Probe],
) -> dict[str, Answer]:
    work: dict[str, Callable[[], Answer]] = {
        KINDS: attempt(lambda: ask_kinds(kubectl)),
        BOLT: attempt(lambda: ask_bolt(kubectl)),
    }
    if promise.cni == "cilium":
        work[RELEASE] = attempt(lambda: ask_release(kubectl))
    rows = rows_for(promise)
    peers = [node.address for node in objects.nodes if node.address]
    for index, name in enumerate(containers):
        # From its own node and from the one before it: two are told apart, and fifty nodes do not ask fifty each.
        near = (name, containers[(index + 1) % len(containers)])
        pods = list(dict.fromkeys(f"{probes[it].address}:{PROBE_PORT}" for it in near if it in probes))
        work[name] = attempt(lambda name=name, pods=pods: ask_node(name, rows, peers, pods))
    return each(work, "the look")
