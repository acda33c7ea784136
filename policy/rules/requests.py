"""Requests: what a Pod needs is said, so that the scheduler and a drain can count on it."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import EnforcementLevel

from reading import CNI, at, containers, pod_spec
from rule import Resource, Settings, resource_rule, texts


def _check(resource: Resource, settings: Settings) -> Iterator[str]:
    spec = pod_spec(resource)
    if spec is None or resource.within(settings["cniComponents"]):
        return
    for container in containers(spec):
        missing = [name for name in ("cpu", "memory") if not at(container, "resources", "requests", name)]
        if missing:
            yield f"container {container.get('name')} requests no {' and no '.join(missing)}; set resources.requests"


RULES = [
    resource_rule(
        "pods-say-what-they-need",
        "Every container outside the CNI requests CPU and memory.",
        _check,
        # A Pod that starves in a small cluster is a nuisance; one that measures and is throttled would lie.
        level=EnforcementLevel.ADVISORY,
        settings={"cniComponents": texts("components that need not", CNI)},
    )
]
