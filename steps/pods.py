"""The Pods on the Pod network, as the API has them. Pure but for the question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steps.doors.kubectl import Kubectl, Object

_NOT_ENDED = "status.phase!=Succeeded,status.phase!=Failed"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """`created` is RFC 3339 in UTC. `controller` is the kind of the owner that makes it anew, empty without one: an
    owner that is no controller only collects it. `state` is `ready`, `leaving` (it is being deleted) or `waiting`."""

    namespace: str
    name: str
    uid: str
    node: str
    created: str
    controller: str
    phase: str
    state: Literal["ready", "leaving", "waiting"]

    @property
    def full_name(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.namespace}/{self.name}"


def pod_from(item: Object) -> Pod:
    """A Pod in the API's JSON."""
    metadata, status = item["metadata"], item.get("status", {})
    owners = [owner["kind"] for owner in metadata.get("ownerReferences", []) if owner.get("controller")]
    ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in status.get("conditions", []))
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        node=item["spec"].get("nodeName", ""),
        created=metadata["creationTimestamp"],
        controller=owners[0] if owners else "",
        phase=status.get("phase", ""),
        state="leaving" if metadata.get("deletionTimestamp") else "ready" if ready else "waiting",
    )


def on_pod_network(kubectl: Kubectl, *, node: str = "", phase: str = "") -> list[Pod]:
    """Those that have not ended: in the whole cluster or on one node, of any phase or of one."""
    fields = ",".join(
        [_NOT_ENDED, *([f"spec.nodeName={node}"] if node else []), *([f"status.phase={phase}"] if phase else [])]
    )
    items = kubectl.objects("pods", fields=fields)
    return [pod_from(item) for item in items if not item["spec"].get("hostNetwork")]
