"""Aggregated APIs that do not answer: no namespace ends while there is one, since the API must ask each of them what it
still holds there."""

from __future__ import annotations

from steps.doors.kubectl import Kubectl, Object
from steps.names import FLANNEL_NAMESPACE

# What a migration deletes, by either CNI: Flannel's namespace and Cilium's for secrets.
_ENDING = (FLANNEL_NAMESPACE, "cilium-secrets")


def silent_apis(kubectl: Kubectl) -> list[str]:
    """A line for each, where there is a namespace that a migration deletes."""
    there = {item["metadata"]["name"] for item in kubectl.objects("namespaces")}
    ending = [name for name in _ENDING if name in there]
    if not ending:
        return []
    return [
        f"the aggregated API {item['metadata']['name']} is not available ({why}), so the namespace {ending[0]} would "
        f"never end: mend what serves it, or `kubectl delete apiservice {item['metadata']['name']}`"
        for item in kubectl.objects("apiservices.apiregistration.k8s.io")
        if (why := _why(item))
    ]


def _why(item: Object) -> str:
    """Why it does not answer, empty where it does. One without a Service is the API server itself."""
    if not item.get("spec", {}).get("service"):
        return ""
    conditions: list[Object] = item.get("status", {}).get("conditions") or []
    found = next((entry for entry in conditions if entry["type"] == "Available"), None)
    if found is None:
        return "nobody has asked it yet"
    if found["status"] == "True":
        return ""
    return ": ".join(part for part in (found.get("reason", ""), found.get("message", "")) if part) or "no reason given"
