"""The chart as it will be installed: rendered once, with the APIs that the cluster serves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from steps.doors import helm
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.findings.images import LOADER
from steps.names import RELEASE, SYSTEM
from steps.objects import labels_of, part
from steps.running import StepError


def rendered(kubectl: Kubectl, chart: str, repository: str, version: str, values: str) -> str:
    """The manifests. Raises StepError where there are none to be had, or where they are no YAML."""
    kubernetes, served = _kubernetes_version(kubectl), _served(kubectl)
    try:
        manifests = helm.template(
            kubectl.kubeconfig, RELEASE, SYSTEM, chart, repository, version, kubernetes, values, api_versions=served
        )
        objects_of(manifests)
    except (ToolError, yaml.YAMLError) as error:
        raise StepError(f"the chart {chart} cannot be rendered: {error}") from error
    return manifests


def objects_of(manifests: str) -> list[Object]:
    """The objects in them. Raises yaml.YAMLError where they are none."""
    return [item for item in yaml.load_all(manifests, Loader=LOADER) if isinstance(item, dict) and "metadata" in item]


def label_sets(objects: Sequence[Object]) -> list[dict[str, str]]:
    """The labels of each object, and of the Pods that it makes."""
    return [labels_of(it) for item in objects for it in (item, part(item, "spec", "template"))]


def api_of(values: str) -> str:
    """HOST PORT where the agents are to find the API, empty where the chart finds it by itself. Raises StepError where
    the values cannot be read."""
    try:
        said: dict[str, Any] = json.loads(values)
        host, port = str(said.get("k8sServiceHost", "")), str(said.get("k8sServicePort", ""))
    except (ValueError, AttributeError) as error:
        raise StepError(f"the chart's values cannot be read: {error}") from error
    return f"{host} {port or 443}" if host not in ("", "auto") else ""


def _served(kubectl: Kubectl) -> list[str]:
    """GROUP/VERSION and GROUP/VERSION/KIND of all that CustomResourceDefinitions add: `helm install` finds them in the
    cluster, and `helm template` has to be told, or refuses a ServiceMonitor whose kind is there (cilium/validate)."""
    return sorted(
        {
            served
            for item in kubectl.objects("customresourcedefinitions")
            for version in item["spec"]["versions"]
            if version["served"]
            for api in [f"{item['spec']['group']}/{version['name']}"]
            for served in (api, f"{api}/{item['spec']['names']['kind']}")
        }
    )


def _kubernetes_version(kubectl: Kubectl) -> str:
    answer = kubectl.run("get", "--raw", "/version")
    try:
        return str(json.loads(answer)["gitVersion"])
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"the API's version cannot be read: {answer[:200]!r}") from error
