"""Users' objects that go when Cilium goes: those of its kinds, with its CustomResourceDefinitions, and theirs in its
namespace for secrets. Each is named and kept before, and made again when Cilium has come back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from steps import kept
from steps.cilium_kinds import CRDS, MADE_BY_CILIUM
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.held import Base, begin
from steps.kept import Kept, served_version, stripped
from steps.names import CILIUM_SECRETS, RELEASE, SYSTEM
from steps.namespaces import contents
from steps.running import StepError, main, say

# Cilium's operator copies Secrets into that namespace, and labels them.
_SYNCED = "secretsync.cilium.io/owning-secret-name"
_DEFAULTS = (("ConfigMap", "kube-root-ca.crt"),)


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """The claim alone."""


def users_objects(kubectl: Kubectl) -> list[Kept]:
    """What would go with Cilium and nobody would make again."""
    crds = kubectl.objects("customresourcedefinitions")
    # One that is being deleted was asked for by somebody who kept its objects, or did not want them.
    there = {crd["metadata"]["name"] for crd in crds if not crd["metadata"].get("deletionTimestamp")}
    kinds = sorted(there & CRDS - MADE_BY_CILIUM)
    found = [Kept(crd=kind, manifest=stripped(item)) for kind in kinds for item in _users(kubectl.objects(kind))]
    for space in kubectl.objects("namespaces"):
        if _goes_with_cilium(space):
            items = _contents(kubectl, space["metadata"]["name"])
            found += [Kept(crd="", manifest=stripped(item)) for item in _users(items)]
    return found


def _contents(kubectl: Kubectl, namespace: str) -> list[Object]:
    """What is in it, without Cilium's own kinds, which are found by their definitions."""
    try:
        items = contents(kubectl, namespace)
    except ToolError as error:
        # An aggregated API that went with the network makes the list of all kinds fail, and must not bar the way on.
        say(
            f"in namespace {namespace} only Secrets and ConfigMaps are kept, since not all kinds can be listed: {error}"
        )
        items = kubectl.objects("secrets,configmaps", namespace=namespace)
    return [item for item in items if not str(item.get("apiVersion", "")).startswith("cilium.io/")]


def _goes_with_cilium(space: Object) -> bool:
    """Whether Helm takes the namespace, whatever its name is, when it takes Cilium."""
    metadata = space["metadata"]
    return not metadata.get("deletionTimestamp") and (metadata["name"] == CILIUM_SECRETS or _of_the_chart(space))


def _of_the_chart(item: Object) -> bool:
    annotations: dict[str, str] = item["metadata"].get("annotations") or {}
    release = (annotations.get("meta.helm.sh/release-namespace"), annotations.get("meta.helm.sh/release-name"))
    return release == (SYSTEM, RELEASE)


def sentence(objects: Iterable[Kept]) -> str:
    """Names what will go, empty where there is nothing."""
    names = [each.name for each in objects]
    if not names:
        return ""
    return (
        f"{len(names)} objects of Cilium's kinds will be saved and go: {', '.join(names)}. They are kept in the "
        f"cluster (kubectl -n kube-system get secrets -l {kept.SELECTOR}) and made again when Cilium comes back"
    )


def keep(kubectl: Kubectl) -> None:
    """Every such object is named, and kept in the cluster. Raises StepError where that is not certain: then nothing of
    Cilium may be removed."""
    if not (objects := users_objects(kubectl)):
        return
    before = kept.copies(kubectl)
    say(sentence(objects))
    written = kept.write(kubectl, objects)
    # A copy of which every object is in a later one has no use; any other holds what was not made again yet.
    names = {each.name for each in objects}
    for copy in before:
        if copy.secret not in written and {each.name for each in copy.objects} <= names:
            kept.drop(kubectl, copy.secret)


def restore(kubectl: Kubectl) -> None:
    """Makes again what was kept. One that is there already is its user's newer one, and stays. What has no kind or no
    namespace now stays kept, and is named. Raises StepError naming what the API refused: the next `up` tries again."""
    copies = kept.copies(kubectl)
    last = {each.name: each for copy in copies for each in copy.objects}
    refused: dict[str, str] = {}
    waiting: dict[str, str] = {}
    for name, each in last.items():
        try:
            why = _make(kubectl, each)
        except ToolError as error:
            refused[name] = error.said or str(error)
            continue
        if why:
            waiting[name] = why
    # What stands again is kept no longer, also where another object of its copy waits: its user may delete it now.
    left = [each for name, each in last.items() if name in refused or name in waiting]
    written = kept.write(kubectl, left)
    for copy in copies:
        if copy.secret not in written:
            kept.drop(kubectl, copy.secret)
    if waiting:
        say(
            "still kept, since they cannot be made again now: " + "; ".join(f"{n}: {why}" for n, why in waiting.items())
        )
    if refused:
        lines = "".join(f"\n  - {name}: {why}" for name, why in refused.items())
        raise StepError(
            f"these objects went with Cilium and could not be made again; they are still kept (kubectl -n kube-system "
            f"get secrets -l {kept.SELECTOR}), and the next up tries again:{lines}"
        )


def _make(kubectl: Kubectl, each: Kept) -> str:
    """Why it cannot be made now, empty where it stands."""
    metadata = each.manifest["metadata"]
    manifest, kind = each.manifest, _kind(each.manifest)
    if each.crd:
        crd = kubectl.object("customresourcedefinitions", each.crd)
        if crd is None:
            return "this Cilium has no such kind"
        kubectl.wait(f"customresourcedefinition/{each.crd}", until="condition=Established", seconds=60)
        manifest, kind = {**manifest, "apiVersion": served_version(crd, manifest["apiVersion"])}, each.crd
    namespace = metadata.get("namespace")
    if namespace and kubectl.object("namespace", namespace) is None:
        return f"there is no namespace {namespace}"
    try:
        found = kubectl.object(kind, metadata["name"], namespace=namespace)
    except ToolError as error:
        if error.says("the server doesn't have a resource type"):
            return "the cluster has no such kind"
        raise
    if found is not None:
        return ""
    try:
        kubectl.create(manifest)
    except ToolError as error:
        if not error.says("AlreadyExists"):
            raise
    return "" if kubectl.object(kind, metadata["name"], namespace=namespace) else "it was gone at once"


def _kind(manifest: Object) -> str:
    """By its group as well: another tool may have a kind of the same name."""
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    kind = str(manifest["kind"]).lower()
    return f"{kind}.{version}.{group}" if group else kind


def _users(items: Iterable[Object]) -> list[Object]:
    """Those that neither Cilium nor its chart nor the cluster makes."""
    found: list[Object] = []
    for item in items:
        metadata = item["metadata"]
        of_chart = _of_the_chart(item)
        of_cilium = any(owner["apiVersion"].startswith("cilium.io/") for owner in metadata.get("ownerReferences", []))
        synced = _SYNCED in (metadata.get("labels") or {})
        token = item.get("type") == "kubernetes.io/service-account-token"
        if not (of_chart or of_cilium or synced or token or (item["kind"], metadata["name"]) in _DEFAULTS):
            found.append(item)
    return found


def verb(needs: Needs) -> None:
    """Where the new CNI is Cilium, what was kept stands again."""
    with begin(needs) as kubectl:
        if needs.cni == "cilium":
            restore(kubectl)


if __name__ == "__main__":
    main(Needs, verb)
