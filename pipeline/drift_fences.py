"""What keeps the CNI in place, and who else would move it: the bolt, Cilium's kinds, and owners outside of the cluster.
Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pipeline.drift_facts import Objects
from pipeline.drift_promise import CILIUM_DAEMON_SET, FLANNEL_DAEMON_SET, PROXY_DAEMON_SET, Promise
from pipeline.drift_report import Finding
from pipeline.drift_workloads import bolt_again
from steps import bolt
from steps.cilium_kinds import AWAITED, CRDS
from steps.doors.kubectl import Object
from steps.names import RELEASE
from steps.objects import full_name, part, parts
from steps.preflight_owners import keeper_of

_NETWORK = (FLANNEL_DAEMON_SET, PROXY_DAEMON_SET, CILIUM_DAEMON_SET)
# The kinds in which they say what they keep.
ARGO, FLUX_RELEASES, FLUX = (
    "applications.argoproj.io",
    "helmreleases.helm.toolkit.fluxcd.io",
    "kustomizations.kustomize.toolkit.fluxcd.io",
)


def bolt_findings(promise: Promise, found: Sequence[Object]) -> Iterator[Finding]:
    """Both of the bolt's objects, with every field that it was made with; what the API adds is its own."""
    there = {it["kind"]: it for it in found if part(it, "metadata").get("name") == bolt.NAME}
    for wanted in (bolt.policy(), bolt.binding()):
        kind = str(wanted["kind"])
        item = there.get(kind)
        if item is None or not _holds(wanted["spec"], item.get("spec")):
            yield Finding(
                kind="bolt",
                where=f"{kind.lower()} {bolt.NAME}",
                says=f"it {'is gone' if item is None else 'was edited'}: the CNI's objects can be deleted at any time",
                remedy=bolt_again(promise),
            )


def kind_findings(promise: Promise, kinds: frozenset[str]) -> Iterator[Finding]:
    """Cilium's CustomResourceDefinitions: all there under Cilium, none under Flannel."""
    if promise.cni == "cilium":
        for name in sorted(AWAITED - kinds):
            yield Finding(
                kind="crd",
                where=f"customresourcedefinition {name}",
                says="it is gone, with all of its objects: an agent that starts waits for it",
                remedy="kubectl --namespace=kube-system rollout restart deployment/cilium-operator, which makes it",
            )
    else:
        for name in sorted(CRDS & kinds):
            yield Finding(
                kind="crd",
                where=f"customresourcedefinition {name}",
                says="it is Cilium's, and Flannel has the cluster",
                remedy=f"kubectl delete customresourcedefinition {name} (the bolt holds it: take that off first, then "
                f"{bolt_again(promise)})",
            )


def keeper_findings(objects: Objects, keepers: Sequence[Object]) -> Iterator[Finding]:
    """Argo CD and Flux, by the marks on a DaemonSet and by the objects in which they say what they keep."""
    for item in objects.workloads:
        if full_name(item) in _NETWORK and (keeper := keeper_of(item)):
            yield _kept(f"daemonset {full_name(item)}", keeper)
    for item in keepers:
        for name in _keeps(item):
            yield _kept(f"daemonset {name}", f"{_OWNERS[str(item['kind'])]} ({item['kind']} {full_name(item)})")


_OWNERS = {"Application": "Argo CD", "HelmRelease": "Flux", "Kustomization": "Flux"}


def _kept(where: str, keeper: str) -> Finding:
    return Finding(
        kind="keeper",
        where=where,
        says=f"it is kept by {keeper}, which would undo what a migration does",
        remedy="take it out there, or end the synchronisation",
    )


def _keeps(item: Object) -> list[str]:
    """The DaemonSets of a network, as NAMESPACE/NAME, that an object of Argo CD's or Flux' says it keeps."""
    if item["kind"] == "Application":
        resources = [it for it in parts(item, "status", "resources") if it.get("kind") == "DaemonSet"]
        names = [f"{it.get('namespace', '')}/{it.get('name', '')}" for it in resources]
    elif item["kind"] == "Kustomization":
        # An id is NAMESPACE_NAME_GROUP_KIND.
        ids = [str(it.get("id", "")).split("_") for it in parts(item, "status", "inventory", "entries")]
        names = [f"{it[0]}/{it[1]}" for it in ids if it[-1] == "DaemonSet" and len(it) == 4]
    else:
        metadata, spec = part(item, "metadata"), part(item, "spec")
        namespace = spec.get("targetNamespace") or metadata.get("namespace", "")
        release = spec.get("releaseName") or metadata.get("name", "")
        chart = part(spec, "chart", "spec").get("chart", "")
        kept = {RELEASE: "cilium", "flannel": "kube-flannel-ds", "kube-proxy": "kube-proxy"}
        return [f"{namespace}/{kept[name]}" for name in (str(chart), str(release)) if name in kept][:1]
    return [name for name in names if name in _NETWORK]


def _holds(wanted: object, found: object) -> bool:
    """Whether everything of `wanted` is in `found`, which may have more keys; lists are as long."""
    if isinstance(wanted, Mapping):
        inner = cast("Mapping[str, object]", wanted)
        return isinstance(found, Mapping) and all(
            _holds(value, cast("Mapping[str, object]", found).get(key)) for key, value in inner.items()
        )
    if isinstance(wanted, list):
        left = cast("list[object]", wanted)
        right = cast("list[object]", found) if isinstance(found, list) else []
        return len(left) == len(right) and all(_holds(one, other) for one, other in zip(left, right, strict=True))
    return wanted == found
