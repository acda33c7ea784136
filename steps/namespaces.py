"""The end of a namespace of a CNI: only where nothing of anybody else is in it."""

from __future__ import annotations

from collections.abc import Callable

from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.names import PART_OF
from steps.running import say

# What comes and goes by itself and is nobody's: events, and what a metrics server says of Pods.
_PASSING = ("events", "events.events.k8s.io")
_METRICS = ".metrics.k8s.io"
_DEFAULTS = (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"))
# By the names of Flannel's own manifest and its chart.
_FLANNELS = (("DaemonSet", "kube-flannel-ds"), ("ConfigMap", "kube-flannel-cfg"), ("ServiceAccount", "flannel"))


def is_flannels(item: Object) -> bool:
    """Whether an object in Flannel's namespace is Flannel's, or this project's."""
    labels: dict[str, str] = item["metadata"].get("labels") or {}
    of_chart = labels.get("owner") == "helm" and labels.get("name") == "flannel"
    ours = all(labels.get(key) == value for key, value in PART_OF.items())
    return ours or of_chart or (item["kind"], item["metadata"]["name"]) in _FLANNELS


def remove_namespace(kubectl: Kubectl, name: str, is_ours: Callable[[Object], bool], *, wait: bool) -> None:
    """Deletes the namespace where all in it is ours or goes by itself; otherwise leaves it, and names what is not."""
    namespace = kubectl.object("namespace", name)
    if namespace is None:
        return
    if not namespace["metadata"].get("deletionTimestamp"):
        try:
            others = [item for item in contents(kubectl, name) if not is_ours(item)]
        except ToolError as error:
            # An aggregated API that is down: what it has in there nobody can say.
            say(f"namespace {name} is left as it is, since what is in it cannot all be listed: {error}")
            return
        if others:
            names = ", ".join(f"{item['kind']} {item['metadata']['name']}" for item in others)
            say(f"namespace {name} is left as it is, since it holds what this project did not make: {names}")
            return
    kubectl.delete("namespace", name, f"--wait={str(wait).lower()}")


def contents(kubectl: Kubectl, namespace: str) -> list[Object]:
    """What is in a namespace and does not go with its owner or the namespace's defaults."""
    answer = kubectl.run("api-resources", "--verbs=list", "--namespaced", "--output=name")
    kinds = [kind for kind in answer.split() if kind not in _PASSING and not kind.endswith(_METRICS)]
    found: list[Object] = []
    for item in kubectl.objects(",".join(kinds), namespace=namespace):
        metadata = item["metadata"]
        default = (item["kind"], metadata["name"]) in _DEFAULTS
        token = item.get("type") == "kubernetes.io/service-account-token"
        if not (default or token or metadata.get("ownerReferences") or metadata.get("deletionTimestamp")):
            found.append(item)
    return found
