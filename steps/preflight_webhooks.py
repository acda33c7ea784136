"""Admission webhooks that fail closed, where the network goes before the new one comes: meanwhile nobody serves their
Services (the API server asks them at a ClusterIP, on the host's network too), and the new CNI is not let in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from steps.doors.kubectl import Kubectl, Object
from steps.findings.selector import matches
from steps.names import FLANNEL_NAMESPACE, MEASUREMENT, PART_OF, SYSTEM
from steps.objects import labels_of, part, parts

_KINDS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
_CREATES = ("CREATE", "UPDATE")
_PODS = ("", "pods")
# What a CNI is made of, and what its agents and the kubelet write while it starts.
_NAMESPACED = (
    *(("", kind) for kind in ("configmaps", "secrets", "serviceaccounts", "services")),
    *(("apps", kind) for kind in ("daemonsets", "deployments", "replicasets", "controllerrevisions")),
    *(("rbac.authorization.k8s.io", kind) for kind in ("roles", "rolebindings")),
    ("coordination.k8s.io", "leases"),
)
# What is made beside the probes while the network is away; all else of theirs is there before.
_OF_PROBES = (("", "services"), ("apps", "daemonsets"), ("apps", "controllerrevisions"))
# The namespaces that come with each CNI, which a webhook on namespaces is asked for.
_COMES_WITH = {"cilium": "cilium-secrets", "flannel": FLANNEL_NAMESPACE}
_WIDE = (
    ("", "nodes"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    *(("rbac.authorization.k8s.io", kind) for kind in ("clusterroles", "clusterrolebindings")),
    *(("cilium.io", kind) for kind in ("ciliumnodes", "ciliumidentities", "ciliumendpoints")),
)


def closed_webhooks(kubectl: Kubectl, cni: str, label_sets: Sequence[Mapping[str, str]]) -> list[str]:
    """A line for each that stands in the way of `cni`; `label_sets` are those of the objects that come with it."""
    names = {item["metadata"]["name"]: labels_of(item) for item in kubectl.objects("namespaces")}
    pods = [item for item in kubectl.objects("pods") if not item["spec"].get("hostNetwork")]
    found: list[str] = []
    for kind in _KINDS:
        for item in kubectl.objects(kind):
            for webhook in parts(item, "webhooks"):
                what = next(_in_the_way(webhook, cni, label_sets, names, pods), "")
                if what:
                    found.append(_line(item, webhook, what))
    return found


def _line(item: Object, webhook: Object, what: str) -> str:
    service = webhook["clientConfig"]["service"]
    name = f"{item.get('kind', 'webhook')} {item['metadata']['name']}"
    unread = ", unless its matchConditions leave that out, which cannot be told from here" * bool(
        webhook.get("matchConditions")
    )
    return (
        f"{name} ({webhook['name']}) fails closed and has to be asked for {what}{unread}, but its Service "
        f"{service['namespace']}/{service['name']} cannot be reached while the network is away: leave that out of its "
        f"namespaceSelector or rules, or set its failurePolicy to Ignore for the time"
    )


def _in_the_way(
    webhook: Object,
    cni: str,
    label_sets: Sequence[Mapping[str, str]],
    names: Mapping[str, Mapping[str, str]],
    pods: Sequence[Object],
) -> Iterator[str]:
    """What it would be asked for, the worst first."""
    service = part(webhook, "clientConfig", "service")
    if webhook.get("failurePolicy", "Fail") != "Fail" or not service:
        return
    home = service["namespace"]
    own = [labels_of(pod) for pod in pods if pod["metadata"]["namespace"] == home]
    needed = [(SYSTEM, (_PODS, *_NAMESPACED), label_sets), (MEASUREMENT, _OF_PROBES, label_sets)]
    if cni == "flannel":
        needed.append((FLANNEL_NAMESPACE, (_PODS, *_NAMESPACED), label_sets))
    # Its own Pods are made anew too, after their eviction: they would wait for themselves.
    needed.append((home, (_PODS,), own))
    for namespace, kinds, labels in needed:
        where = {**names.get(namespace, PART_OF), "kubernetes.io/metadata.name": namespace}
        if matches(part(webhook, "namespaceSelector"), where) and _any(webhook, labels):
            for kind in kinds:
                if _rules(webhook, kind, _CREATES, "Namespaced"):
                    yield f"{kind[1]} in {namespace}"
    space = _COMES_WITH[cni]
    # A selector of namespaces is held against a Namespace's own labels.
    where = {**names.get(space, PART_OF), "kubernetes.io/metadata.name": space}
    asked = all(matches(part(webhook, selector), where) for selector in ("namespaceSelector", "objectSelector"))
    if asked and _rules(webhook, ("", "namespaces"), _CREATES, "Cluster"):
        yield f"the namespace {space}"
    for kind in _WIDE:
        if _rules(webhook, kind, _CREATES, "Cluster") and not webhook.get("objectSelector"):
            yield kind[1]
    for pod in pods:
        where = names.get(pod["metadata"]["namespace"], {})
        evicted = _rules(webhook, _PODS, ("DELETE",), "Namespaced") and _any(webhook, [labels_of(pod)])
        if evicted and matches(part(webhook, "namespaceSelector"), where):
            yield f"the deletion of pods in {pod['metadata']['namespace']}"


def _any(webhook: Object, label_sets: Sequence[Mapping[str, str]]) -> bool:
    selector = part(webhook, "objectSelector")
    return not selector or any(matches(selector, labels) for labels in label_sets)


def _rules(webhook: Object, kind: tuple[str, str], operations: Sequence[str], scope: str) -> bool:
    """Whether one of its rules is for the kind itself, not for a part of it as pods/eviction is."""
    group, resource = kind
    return any(
        {"*", *operations} & set(rule["operations"])
        and {"*", group} & set(rule["apiGroups"])
        and {"*", "*/*", resource, f"{resource}/*"} & set(rule["resources"])
        and rule.get("scope", "*") in ("*", scope)
        for rule in parts(webhook, "rules")
    )
