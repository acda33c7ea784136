"""The cluster against the Helm release: its workloads, its ConfigMap, and what its agents were started with. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from pipeline.drift_facts import NodeFacts, Objects
from pipeline.drift_nodes import CILIUM
from pipeline.drift_promise import Promise
from pipeline.drift_report import Finding, Unasked
from pipeline.drift_shown import shown
from pipeline.drift_workloads import APPLY, images_of
from steps.doors.kubectl import Object
from steps.names import SYSTEM
from steps.objects import full_name, part, parts

# What the agent adds to what it has read (pkg/option/resolver).
_ADDED = {"config-sources", "config-sources-overrides"}


def rendered_findings(promise: Promise, rendered: Sequence[Object], objects: Objects) -> Iterator[Finding]:
    """The workloads and ConfigMaps of the release as they are, against what it was rendered to."""
    there = {(it["kind"], full_name(it)): it for it in (*objects.workloads, *objects.config_maps)}
    for item in rendered:
        kind = item["kind"]
        if kind not in ("DaemonSet", "Deployment", "ConfigMap"):
            continue
        where = f"{kind.lower()} {full_name(item)}"
        found = there.get((kind, full_name(item)))
        if found is None:
            yield Finding(kind="workload", where=where, says="it is of the release, and gone", remedy=APPLY)
        elif kind == "ConfigMap":
            yield from _config(where, part(item, "data"), part(found, "data"), promise)
        else:
            yield from _workload(where, item, found)


def agent_config_findings(facts: Sequence[NodeFacts], objects: Objects, own: frozenset[str]) -> Iterator[Finding]:
    """Agents that were started with another configuration than the ConfigMap's. `own` are keys that CiliumNodeConfigs
    give some nodes another value of."""
    config = objects.config_map(f"{SYSTEM}/cilium-config")
    wanted = {key: sha256(str(text).encode()).hexdigest() for key, text in part(config, "data").items()}
    nodes = {str(part(pod, "metadata").get("uid")): pod for pod in objects.pods if CILIUM.runs_as(pod)}
    for node in facts:
        for uid, read in node.agents.items():
            if uid not in nodes or not wanted:
                continue
            keys = (wanted.keys() | read.keys()) - _ADDED - own
            stale = sorted(key for key in keys if wanted.get(key) != read.get(key))
            if stale:
                yield Finding(
                    kind="agent-config",
                    where=node.name,
                    says=f"Cilium's agent there runs an older configuration than configmap {SYSTEM}/cilium-config "
                    f"({', '.join(stale[:4])}{' …' if len(stale) > 4 else ''})",
                    remedy=f"where the ConfigMap is right: kubectl --namespace={SYSTEM} rollout restart "
                    f"daemonset/cilium",
                )


def unread_agents(promise: Promise, facts: Sequence[NodeFacts], objects: Objects) -> Iterator[Unasked]:
    """Agents whose configuration is not where it is looked for. With daemon.configSources the chart may mount the
    ConfigMap itself, which the kubelet keeps up to date."""
    if promise.cni != "cilium" or promise.value("daemon", "configSources"):
        return
    read = {uid for node in facts for uid in node.agents}
    for pod in objects.pods:
        node = str(part(pod, "spec").get("nodeName", ""))
        if CILIUM.runs_as(pod) and part(pod, "metadata").get("uid") not in read and node in {it.name for it in facts}:
            yield Unasked(
                what=f"the configuration of Cilium's agent on {node}",
                why="its Pod has no folder /tmp/cilium/config-map",
            )


def _config(where: str, wanted: Mapping[str, Any], found: Mapping[str, Any], promise: Promise) -> Iterator[Finding]:
    for key in sorted(wanted.keys() | found.keys()):
        if wanted.get(key) != found.get(key):
            yield Finding(
                kind="config",
                where=where,
                says=f"{key} is {shown(key, found.get(key), guarded=promise.guarded)}, and the release has "
                f"{shown(key, wanted.get(key), guarded=promise.guarded)}",
                remedy=APPLY,
            )


def _workload(where: str, wanted: Object, found: Object) -> Iterator[Finding]:
    asked, there = images_of(wanted), images_of(found)
    for name in sorted(asked.keys() | there.keys()):
        if asked.get(name) != there.get(name):
            yield Finding(
                kind="image",
                where=where,
                says=f"its container {name} has the image {there.get(name, 'none')}; the release has "
                f"{asked.get(name, 'no such container')}",
                remedy=APPLY,
            )
    selector = ("spec", "template", "spec", "nodeSelector")
    if part(wanted, *selector) != part(found, *selector) or _arguments(wanted) != _arguments(found):
        yield Finding(
            kind="workload",
            where=where,
            says="its nodes or its arguments are others than the release's",
            remedy=APPLY,
        )


def _arguments(workload: Object) -> list[tuple[str, str]]:
    containers = parts(workload, "spec", "template", "spec", "containers")
    return [(str(it["name"]), " ".join(map(str, [*parts(it, "command"), *parts(it, "args")]))) for it in containers]
