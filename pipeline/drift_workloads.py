"""The CNI's DaemonSets, and those of another one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.drift_facts import Objects
from pipeline.drift_nodes import PROXY
from pipeline.drift_promise import CILIUM_DAEMON_SET, FLANNEL_DAEMON_SET, PROXY_DAEMON_SET, Promise
from pipeline.drift_report import Finding
from steps.doors.kubectl import Object
from steps.names import RELEASE, SYSTEM
from steps.objects import full_name, part, parts
from steps.preflight_cnis import OTHERS

_OWN = {"cilium": (CILIUM_DAEMON_SET,), "flannel": (FLANNEL_DAEMON_SET, PROXY_DAEMON_SET)}
# Puts an object of the release back as Helm has recorded it.
APPLY = f"helm --namespace={SYSTEM} get manifest {RELEASE} | kubectl apply --server-side --force-conflicts --filename=-"


def workload_findings(promise: Promise, objects: Objects) -> Iterator[Finding]:
    """DaemonSets that are there or not, their images, and what a hand has put back."""
    sets = {full_name(it): it for it in objects.workloads if it["kind"] == "DaemonSet"}
    for name in _OWN[promise.cni]:
        if name not in sets:
            yield Finding(
                kind="kube-proxy" if name == PROXY_DAEMON_SET else "workload",
                where=f"daemonset {name}",
                says=f"it is gone: nothing of {promise.cni}'s would start on a node again",
                remedy=f"pulumi up --stack {promise.stack}" if promise.cni == "flannel" else APPLY,
            )
    for name, allowed in promise.images.items():
        for container, image in images_of(sets.get(name, {})).items():
            if image not in allowed:
                yield Finding(
                    kind="image",
                    where=f"daemonset {name}",
                    says=f"its container {container} has the image {image}; the settings ask for "
                    f"{' or '.join(sorted(allowed))}",
                    remedy=f"pulumi up --stack {promise.stack}",
                )
    if promise.cni == "cilium":
        yield from _proxy_back(promise, sets, objects.pods)
    foreign = {FLANNEL_DAEMON_SET, CILIUM_DAEMON_SET} - set(_OWN[promise.cni])
    for name in sets:
        if name in foreign or name.rpartition("/")[2] in OTHERS:
            yield Finding(
                kind="other-cni",
                where=f"daemonset {name}",
                says=f"it is another CNI beside {promise.cni}: two hand out addresses and write configurations",
                remedy=unbolted(promise, "daemonset", name) if name in foreign else "remove it the way it came",
            )


def images_of(workload: Object) -> dict[str, str]:
    """The image of each container, by its name; init containers too."""
    spec = ("spec", "template", "spec")
    containers = [*parts(workload, *spec, "initContainers"), *parts(workload, *spec, "containers")]
    return {str(it["name"]): str(it["image"]) for it in containers}


def unbolted(promise: Promise, kind: str, name: str) -> str:
    """How to delete what the bolt holds: off, away, on again."""
    namespace, _, short = name.partition("/")
    return (
        f"kubectl delete validatingadmissionpolicybinding cni-migration-bolt && kubectl --namespace={namespace} delete "
        f"{kind} {short} && {bolt_again(promise)}"
    )


def bolt_again(promise: Promise) -> str:
    """The step that shoots the bolt, as one types it."""
    return (
        f"CLUSTER={promise.cluster} STACK={promise.stack} EPOCH={promise.kept.epoch} .venv/bin/python -m steps.settle"
    )


def _proxy_back(promise: Promise, sets: dict[str, Object], pods: Sequence[Object]) -> Iterator[Finding]:
    nodes = sorted({str(part(pod, "spec").get("nodeName", "")) for pod in pods if PROXY.runs_as(pod)} - {""})
    if PROXY_DAEMON_SET in sets or nodes:
        on = f" (on {', '.join(nodes)})" if nodes else ""
        yield Finding(
            kind="kube-proxy",
            where=f"daemonset {PROXY_DAEMON_SET}",
            says=f"kube-proxy is back{on}, and Cilium serves Services: its chains would translate a second time",
            remedy=unbolted(promise, "daemonset", PROXY_DAEMON_SET),
        )
