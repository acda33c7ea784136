"""The marker in the cluster: read, claimed by compare-and-swap, held by the step that runs, and the marks of the steps
in the recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steps.doors.kubectl import Kubectl
from steps.doors.node import on_node
from steps.doors.process import ToolError
from steps.holder import holder
from steps.names import MARKER, REPORT_FOLDER, SYSTEM
from steps.running import StepError


@dataclass(frozen=True, kw_only=True)
class Found:
    """The marker as it is; `version` is its resourceVersion. A field that is not there is empty."""

    version: str
    data: Mapping[str, str]

    def field(self, name: str) -> str:
        """A field of the data."""
        return self.data.get(name, "")


def find(kubectl: Kubectl) -> Found | None:
    """The marker, None where the API says that there is none. Raises ToolError where it does not answer."""
    item = kubectl.object("configmap", MARKER, namespace=SYSTEM)
    return None if item is None else Found(version=item["metadata"]["resourceVersion"], data=item.get("data") or {})


def cut_off(kubectl: Kubectl) -> bool:
    """Whether a migration has begun and not ended: the network may be down by it, and it must be able to go on."""
    found = find(kubectl)
    return found is not None and found.field("phase") == "migrating"


def manifest(data: Mapping[str, str], version: str = "") -> dict[str, Any]:
    """The ConfigMap; `version` is the one that it replaces, empty for any."""
    metadata = {"name": MARKER, "namespace": SYSTEM, **({"resourceVersion": version} if version else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}


def take_hold(kubectl: Kubectl, *, cluster: str, stack: str, epoch: str) -> None:
    """Names this `up` in the marker as the one that migrates, at the start of each step: one that goes on after it was
    cut off does not claim again. Raises StepError where somebody else owns the cluster by now."""
    patch = [
        {"op": "test", "path": "/data/stack", "value": stack},
        {"op": "test", "path": "/data/epoch", "value": epoch},
        {"op": "replace", "path": "/data/holder", "value": holder()},
    ]
    try:
        kubectl.patch("configmap", MARKER, patch, namespace=SYSTEM, form="json")
    except ToolError as error:
        raise StepError(
            f"cluster {cluster} is not owned by stack {stack} with epoch {epoch} any more; look at `pulumi preview` "
            f"({error})"
        ) from error


def mark(control_plane: str, step: str) -> None:
    """Notes in the recording that a step begins now; does nothing where nothing is recorded."""
    on_node(control_plane, "recording", env={"STEP": "mark", "REPORT": REPORT_FOLDER, "NAME": step})
