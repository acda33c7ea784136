"""The manifest by which a Pod can be made anew, out of the Pod as it is. Pure."""

from __future__ import annotations

from copy import deepcopy

from steps.doors.kubectl import Object

# What the API sets itself.
_METADATA = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "selfLink",
)
# ephemeralContainers: who debugged a Pod has them in it, and a creation with them is refused. The other two are
# computed from the priority class: a class that has changed since is refused too.
_SPEC = ("ephemeralContainers", "priority", "preemptionPolicy")
_TOKEN_VOLUME = "kube-api-access-"
_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


def manifest_of(item: Object) -> Object:
    """The Pod as it can be created: without its state and what the API or its admission put in. The node stays that it
    is on, since its volumes may be there."""
    made: Object = deepcopy(item)
    made.update({"apiVersion": "v1", "kind": "Pod"})
    made.pop("status", None)
    for key in _METADATA:
        made["metadata"].pop(key, None)
    for key in _SPEC:
        made["spec"].pop(key, None)
    # A user who wants no token from the admission, and has such a volume, has made it by hand.
    if made["spec"].get("automountServiceAccountToken") is not False:
        _without_token(made["spec"])
    return made


def under_another_name(manifest: Object) -> Object:
    """The same beside the Pod itself, for a creation that is only tried."""
    name = manifest["metadata"]["name"][:230].rstrip("-.")
    return {**manifest, "metadata": {**manifest["metadata"], "name": f"{name}-cni-migration-try"}}


def _without_token(spec: Object) -> None:
    """Takes out the volume that the admission has put in for the service account: it puts in a new one."""
    volumes: list[Object] = spec.get("volumes") or []
    tokens = {
        volume["name"] for volume in volumes if volume["name"].startswith(_TOKEN_VOLUME) and "projected" in volume
    }
    containers: list[Object] = [*(spec.get("initContainers") or []), *spec["containers"]]
    mounted: set[str] = set()
    for container in containers:
        mounts: list[Object] = container.get("volumeMounts") or []
        kept = [mount for mount in mounts if mount["name"] not in tokens or mount["mountPath"] != _TOKEN_PATH]
        if len(kept) != len(mounts):
            container["volumeMounts"] = kept
        mounted |= {mount["name"] for mount in kept}
    if gone := tokens - mounted:
        spec["volumes"] = [volume for volume in volumes if volume["name"] not in gone]
