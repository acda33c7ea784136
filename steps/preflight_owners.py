"""Who outside of the cluster keeps the CNI or kube-proxy as a repository has it: Argo CD's Applications, Flux's
Kustomizations and HelmReleases. By their own word on what they have applied, since not each of them marks it; and by
the marks, since an Argo CD may be in another cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from steps.doors.kubectl import Kubectl, Object
from steps.names import FLANNEL_NAMESPACE, SYSTEM
from steps.objects import full_name, labels_of, part, parts

_APPLICATIONS = "applications.argoproj.io"
_KUSTOMIZATIONS = "kustomizations.kustomize.toolkit.fluxcd.io"
_RELEASES = "helmreleases.helm.toolkit.fluxcd.io"
# What each CNI is made of, and what a chart of it is called.
_KEPT = {
    (FLANNEL_NAMESPACE, "kube-flannel-ds"),
    (SYSTEM, "kube-flannel-ds"),
    (SYSTEM, "kube-proxy"),
    (SYSTEM, "cilium"),
    (SYSTEM, "cilium-operator"),
}
_CHARTS = ("cilium", "flannel")
# Who keeps an object as a repository has it, by the labels and annotations that each sets.
_KEEPERS = {
    "argocd.argoproj.io/instance": "Argo CD",
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}


@dataclass(frozen=True, kw_only=True)
class Owner:
    """`by` is the object that says so, `what` is what it keeps. `acts`: it puts that back by itself."""

    by: str
    what: str
    acts: bool

    @property
    def sentence(self) -> str:
        """What it means for a migration, and what to do."""
        if self.acts:
            return (
                f"{self.what} is kept by {self.by}, which would put it back beside the new CNI: take it out there first"
            )
        return (
            f"{self.what} belongs to {self.by}, which is suspended or not automatic: whoever starts it brings it back"
        )


def owners(kubectl: Kubectl) -> list[Owner]:
    """Each owner with all that it keeps; none where the cluster knows neither Argo CD nor Flux."""
    # By name, and not out of the list of all kinds: an aggregated API that is down makes that list fail.
    there = {item["metadata"]["name"] for item in kubectl.objects("customresourcedefinitions")}
    look = {_APPLICATIONS: _application, _KUSTOMIZATIONS: _kustomization, _RELEASES: _release}
    return [
        owner
        for kind, of in look.items()
        if kind in there
        for item in kubectl.objects(kind)
        if (owner := of(item)) is not None
    ]


def marked(kubectl: Kubectl) -> list[Owner]:
    """Who keeps a DaemonSet of a CNI, or kube-proxy's, by the mark on it."""
    return [
        Owner(by=f"{keeper} (by its mark)", what=f"daemonset {full_name(item)}", acts=True)
        for item in kubectl.objects("daemonsets.apps")
        if (item["metadata"].get("namespace", ""), item["metadata"]["name"]) in _KEPT and (keeper := keeper_of(item))
    ]


def keeper_of(item: Object) -> str:
    """Who keeps an object, by its marks; empty where it has none."""
    marks = {*labels_of(item), *part(item, "metadata", "annotations")}
    return next((keeper for mark, keeper in _KEEPERS.items() if mark in marks), "")


def _application(item: Object) -> Owner | None:
    sync = part(item, "spec", "syncPolicy", "automated")
    automatic = "automated" in part(item, "spec", "syncPolicy") and sync.get("enabled", True) is not False
    sources = [part(item, "spec", "source"), *parts(item, "spec", "sources")]
    kept = [
        *_named(
            (str(entry.get("namespace", "")), str(entry.get("name", "")))
            for entry in parts(item, "status", "resources")
        ),
        *_charts(source.get("chart") for source in sources),
    ]
    return _owner(f"Argo CD's Application {full_name(item)}", kept, acts=automatic)


def _kustomization(item: Object) -> Owner | None:
    # An entry is NAMESPACE_NAME_GROUP_KIND, and no name has an underscore.
    ids = [str(entry.get("id", "")).split("_") for entry in parts(item, "status", "inventory", "entries")]
    kept = _named((words[0], words[1]) for words in ids if len(words) == 4)
    return _owner(f"Flux's Kustomization {full_name(item)}", kept, acts=not part(item, "spec").get("suspend"))


def _release(item: Object) -> Owner | None:
    chart = part(item, "spec", "chart", "spec").get("chart")
    history = [entry.get("chartName") for entry in parts(item, "status", "history")]
    kept = _charts([chart, *history])
    return _owner(f"Flux's HelmRelease {full_name(item)}", kept, acts=not part(item, "spec").get("suspend"))


def _named(names: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{namespace}/{name}" for namespace, name in names if (namespace, name) in _KEPT)


def _charts(names: Iterable[object]) -> Iterator[str]:
    # A chart may be a path: ./charts/cilium, oci://…/cilium.
    return (f"the chart {name}" for name in names if str(name or "").rstrip("/").rsplit("/", 1)[-1] in _CHARTS)


def _owner(by: str, kept: Iterable[str], *, acts: bool) -> Owner | None:
    what = " and ".join(dict.fromkeys(kept))
    return Owner(by=by, what=what, acts=acts) if what else None
