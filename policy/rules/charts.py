"""Helm charts: one version, from an address that cannot be tampered with on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reading import at
from rule import RELEASE, Resource, Settings, resource_rule

_EXACT = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+([-+][\w.+-]+)?")


def _check(resource: Resource, settings: Settings) -> Iterator[str]:
    chart = resource.props.get("chart")
    # A chart in a folder has the version that is in it.
    if resource.type != RELEASE or not isinstance(chart, str) or chart.startswith(("/", ".", "~")):
        return
    if not _EXACT.fullmatch(str(resource.props.get("version") or "")):
        yield "its version is missing or a range, so that an `up` may upgrade by itself; set cilium.version to x.y.z"
    repository = at(resource.props, "repositoryOpts", "repo")
    address = repository if isinstance(repository, str) else chart
    if "://" in address and not address.startswith(("https://", "oci://")):
        yield "its repository is not https: what is on the way could change the chart; use https:// or oci://"


RULES = [resource_rule("chart-pinned", "A Helm chart has one version and comes by a safe way.", _check)]
