"""The copies of users' objects that are kept in the cluster: Secrets in kube-system, each holding some of them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.names import SYSTEM
from steps.running import StepError

LABEL = {"cni-migration/kept": "cilium-objects"}
SELECTOR = "cni-migration/kept=cilium-objects"
_KEY = "objects.json.gz"
# Bytes of JSON in one Secret, and what one may hold at most: the API takes 1 MiB.
_CHUNK, _MOST = 600_000, 1_000_000


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An object as it will be made again. `crd` names its CustomResourceDefinition, empty where it has none."""

    crd: str
    manifest: Object

    @property
    def name(self) -> str:
        """KIND NAMESPACE/NAME, by which a user knows it."""
        metadata = self.manifest["metadata"]
        full = "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)
        return f"{self.manifest['kind']} {full}"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One Secret, and what is in it."""

    secret: str
    objects: Sequence[Kept]


def stripped(item: Object) -> Object:
    """An object without what only the server says of it."""
    drop = ("uid", "resourceVersion", "managedFields", "creationTimestamp", "generation", "selfLink")
    metadata = {key: value for key, value in item["metadata"].items() if key not in drop}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata}


def served_version(crd: Object, version: str) -> str:
    """`version`, or the one that this Cilium stores where it does not serve that one."""
    group, versions = crd["spec"]["group"], crd["spec"]["versions"]
    served = [f"{group}/{each['name']}" for each in versions if each["served"]]
    stored = [f"{group}/{each['name']}" for each in versions if each["storage"]]
    return version if version in served else stored[0]


def copies(kubectl: Kubectl) -> list[Copy]:
    """Every copy, the oldest first: of an object in two of them the last one counts. Raises StepError where one cannot
    be read."""
    items = kubectl.objects("secrets", namespace=SYSTEM, selector=SELECTOR)
    items.sort(key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))
    return [Copy(secret=item["metadata"]["name"], objects=_unpack(item)) for item in items]


def write(kubectl: Kubectl, objects: Sequence[Kept]) -> list[str]:
    """Keeps the objects; the names of the Secrets. Returns only when each was read back and holds what it should."""
    secrets: list[str] = []
    for chunk in _chunks(objects):
        payload = _pack(chunk)
        # By its content: what was kept before it was cut off is not kept twice.
        name = f"cni-migration-kept-{hashlib.sha256(payload).hexdigest()[:16]}"
        metadata = {"name": name, "namespace": SYSTEM, "labels": LABEL}
        data = {_KEY: base64.b64encode(payload).decode()}
        try:
            kubectl.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
        except ToolError as error:
            if not error.says("AlreadyExists"):
                raise
        found = kubectl.object("secret", name, namespace=SYSTEM)
        if found is None or list(_unpack(found)) != list(chunk):
            raise StepError(f"the Secret {SYSTEM}/{name} does not hold what was written to it; nothing was removed")
        secrets.append(name)
    return secrets


def drop(kubectl: Kubectl, secret: str) -> None:
    """Takes one away."""
    kubectl.delete("secret", secret, f"--namespace={SYSTEM}")


def _chunks(objects: Sequence[Kept]) -> list[list[Kept]]:
    chunks: list[list[Kept]] = []
    room = 0
    for kept in objects:
        size = len(json.dumps(kept.manifest))
        if not chunks or size > room:
            chunks.append([])
            room = _CHUNK
        chunks[-1].append(kept)
        room -= size
    return chunks


def _pack(objects: Sequence[Kept]) -> bytes:
    text = json.dumps([{"crd": kept.crd, "manifest": kept.manifest} for kept in objects], sort_keys=True)
    payload = gzip.compress(text.encode(), mtime=0)
    if len(payload) > _MOST:
        raise StepError(
            f"{objects[0].name} is too large to be kept in the cluster; nothing was removed: save it yourself"
        )
    return payload


def _unpack(secret: Object) -> list[Kept]:
    try:
        text = gzip.decompress(base64.b64decode(secret["data"][_KEY], validate=True))
        rows = cast("list[Object]", json.loads(text))
        return [Kept(crd=row["crd"], manifest=row["manifest"]) for row in rows]
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise StepError(f"the Secret {SYSTEM}/{secret['metadata']['name']} cannot be read: {error!r}") from error
