"""The copies of Pods that nobody makes anew: a Secret each in kube-system, since a manifest may hold secrets. A copy
goes only when its Pod stands again, or was its user's to delete."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.names import KEPT_DELETED, KEPT_LABEL, KEPT_OF, KEPT_PREFIX, SYSTEM, selector
from steps.pods import Pod, pod_from
from steps.pods_manifest import manifest_of
from steps.running import StepError

_FIELD = "pod.json"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """`secret` is its name. `uid` is the Pod's that it was made of. `deleted`: this project has deleted that Pod, or
    was about to; a Pod that is gone without that was its user's to delete."""

    secret: str
    uid: str
    deleted: bool
    manifest: Object

    @property
    def namespace(self) -> str:
        """The Pod's namespace."""
        return str(self.manifest["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """The Pod's name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def full_name(self) -> str:
        """NAMESPACE/NAME of the Pod."""
        return f"{self.namespace}/{self.name}"


def keep(kubectl: Kubectl, item: Object, *, deleted: bool) -> None:
    """The cluster has the manifest of this Pod (the API's JSON), and whether this project is about to delete it."""
    pod: Pod = pod_from(item)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"{KEPT_PREFIX}{pod.uid}",
            "namespace": SYSTEM,
            "labels": KEPT_LABEL,
            "annotations": {KEPT_OF: pod.full_name, KEPT_DELETED: str(deleted).lower()},
        },
        "stringData": {_FIELD: json.dumps(manifest_of(item))},
    }
    try:
        kubectl.create(secret)
    except ToolError as error:
        if not error.says("AlreadyExists"):
            raise
        kubectl.replace(secret)


def copies(kubectl: Kubectl) -> list[Copy]:
    """Every copy, by the Pod's name. Raises StepError where one cannot be read: it is not to be taken for none."""
    found = [_copy(item) for item in kubectl.objects("secrets", namespace=SYSTEM, selector=selector(KEPT_LABEL))]
    return sorted(found, key=lambda copy: copy.full_name)


def forget(kubectl: Kubectl, uid: str) -> None:
    """The copy of that Pod is gone."""
    kubectl.delete("secret", f"{KEPT_PREFIX}{uid}", f"--namespace={SYSTEM}")


def _copy(item: Object) -> Copy:
    name = str(item["metadata"]["name"])
    annotations: dict[str, str] = item["metadata"].get("annotations") or {}
    try:
        manifest = json.loads(base64.b64decode(item["data"][_FIELD]))
        whole = bool(manifest["metadata"]["namespace"] and manifest["metadata"]["name"])
    except (KeyError, TypeError, ValueError) as error:
        raise StepError(f"the copy of a Pod in Secret {SYSTEM}/{name} cannot be read: {error!r}") from error
    if not whole:
        raise StepError(f"the copy of a Pod in Secret {SYSTEM}/{name} names no Pod")
    return Copy(
        secret=name,
        uid=name.removeprefix(KEPT_PREFIX),
        deleted=annotations.get(KEPT_DELETED) == "true",
        manifest=manifest,
    )
