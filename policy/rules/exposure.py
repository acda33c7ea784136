"""Exposure: nothing of this project is reached from outside the cluster, but Hubble UI from this very machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reading import at, items, kind_config, mappings
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
            kind = values.get("type")
            if not path.endswith("service") or kind in (None, *allowed):
                continue
            # The one way out that the cluster is made with, by an address that is looked at below.
            if kind != "NodePort" or path not in settings["nodePorts"]:
                yield f"values.{path}.type is reached from outside; {remedy}"
    for address in _listened_on(kind_config(resource)):
        if address not in settings["listenAddresses"]:
            yield (
                f"a port of the cluster listens on {address or 'every address'}, where whoever reaches this machine "
                f"needs no password; set hubble.address to 127.0.0.1, or add it to listenAddresses"
            )


def _listened_on(config: Mapping[str, Any] | None) -> Iterator[str]:
    for node in items(config, "nodes"):
        for mapping in items(node, "extraPortMappings"):
            yield str(at(mapping, "listenAddress") or "")


RULES = [
    resource_rule(
        "no-exposed-service",
        "No Service is reached from outside the cluster, and no port of it from outside this machine.",
        _check,
        settings={
            "serviceTypes": texts("types of Service that are allowed", ["ClusterIP"]),
            "nodePorts": texts("Helm values, dotted, whose Service may be a NodePort", ["hubble.ui.service"]),
            "listenAddresses": texts("addresses on which this machine may listen for a cluster", ["127.0.0.1"]),
        },
    )
]
