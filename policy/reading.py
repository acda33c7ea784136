"""What rules read in resources: Pods, the kind configuration, Helm values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml

from rule import COMMAND, Resource

# The components (the last part of their type token) that are the CNI, and those that measure.
CNI = ("Flannel", "KubeProxy", "Cilium")
PROBES = ("Probes", "TrafficProbe")
CLUSTER = "cluster-kind"


def at(value: object, *path: str) -> Any:
    """The value at a path of keys, None where there is none."""
    for key in path:
        value = cast("Mapping[str, Any]", value).get(key) if isinstance(value, Mapping) else None
    return value


def items(value: object, *path: str) -> list[Any]:
    """The list at a path of keys, empty where there is none."""
    found = at(value, *path)
    return cast("list[Any]", found) if isinstance(found, list) else []


def pod_spec(resource: Resource) -> Mapping[str, Any] | None:
    """The spec of the Pods that it makes, None where it makes none."""
    if not resource.type.startswith("kubernetes:"):
        return None
    spec = at(resource.props, "spec")
    if resource.type.endswith(":Pod"):
        return spec
    return at(spec, "jobTemplate", "spec", "template", "spec") or at(spec, "template", "spec")


def containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All kinds of them."""
    return [each for kind in ("initContainers", "containers", "ephemeralContainers") for each in items(spec, kind)]


def kind_config(resource: Resource) -> Mapping[str, Any] | None:
    """kind's configuration, where this is the Command that makes the cluster, and it is known."""
    if resource.type != COMMAND or resource.name != CLUSTER:
        return None
    text = resource.props.get("stdin")
    return yaml.safe_load(text) if isinstance(text, str) else None


def mappings(value: object, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping in Helm values, with its dotted path."""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value)
        yield path, pairs
        for key, below in pairs.items():
            yield from mappings(below, f"{path}.{key}".lstrip("."))
