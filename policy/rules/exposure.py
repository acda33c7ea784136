"""Exposure: nothing of this project is reached from outside the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from reading import at, items, mappings
from rule import RELEASE, Resource, Settings, resource_rule, texts


def _check(resource: Resource, settings: Settings) -> Iterator[str]:
    allowed = settings["serviceTypes"]
    remedy = f"use {' or '.join(allowed)} and kubectl port-forward, or add it to serviceTypes"
    if resource.type.endswith("core/v1:Service"):
        kind = at(resource.props, "spec", "type")
        if kind and kind not in allowed:
            yield f"a Service of type {kind} is reached from outside; {remedy}"
        if items(resource.props, "spec", "externalIPs"):
            yield "externalIPs take over addresses that are not the cluster's (CVE-2020-8554); take them out"
    if resource.type == RELEASE:
        for path, values in mappings(resource.props.get("values")):
            if path in settings["nodePorts"] and values.get("type") == "NodePort":
                continue
            if path.endswith("service") and values.get("type") not in (None, *allowed):
                yield f"values.{path}.type is reached from outside; {remedy}"


RULES = [
    resource_rule(
        "no-exposed-service",
        "No Service is reached from outside the cluster.",
        _check,
        settings={
            "serviceTypes": texts("types of Service that are allowed", ["ClusterIP"]),
            # Kind maps it to 127.0.0.1 of its own machine, where the user's settings say nothing else.
            "nodePorts": texts("Services in Helm values that may be NodePorts", ["hubble.ui.service"]),
        },
    )
]
