"""The questions to the API and to Helm, and what is read of their answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import yaml

from pipeline.drift_facts import Objects
from pipeline.drift_fences import ARGO, FLUX, FLUX_RELEASES
from steps.doors import helm
from steps.doors.helm import Release
from steps.doors.kubectl import ANSWER, Kubectl, Object
from steps.doors.process import ToolError
from steps.names import FLANNEL_NAMESPACE, RELEASE, SYSTEM
from steps.nodes import node_from
from steps.objects import labels_of, part
from steps.preflight_chart import objects_of
from steps.running import StepError

_NODE_CONFIGS = "ciliumnodeconfigs.cilium.io"


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """The CustomResourceDefinitions by name, the objects in which Argo CD and Flux say what they keep, and the keys
    that CiliumNodeConfigs give to some nodes."""

    names: frozenset[str]
    keepers: tuple[Object, ...]
    node_keys: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Installed:
    """Cilium's release, and the objects that it was rendered to."""

    release: Release
    objects: tuple[Object, ...]


def ask_objects(kubectl: Kubectl, namespaces: Sequence[str] = (SYSTEM, FLANNEL_NAMESPACE)) -> Objects:
    """Nodes, Pods, Services and workloads of the whole cluster in one question, ConfigMaps of the CNI's namespaces."""
    items = kubectl.objects("nodes,pods,services,daemonsets.apps,deployments.apps")
    nodes = [it for it in items if it["kind"] == "Node"]
    return Objects(
        nodes=tuple(sorted((node_from(it) for it in nodes), key=lambda node: node.name)),
        labels={it["metadata"]["name"]: labels_of(it) for it in nodes},
        pods=tuple(it for it in items if it["kind"] == "Pod" and not it["metadata"].get("deletionTimestamp")),
        workloads=tuple(it for it in items if it["kind"] in ("DaemonSet", "Deployment")),
        services=tuple(it for it in items if it["kind"] == "Service"),
        config_maps=tuple(it for namespace in namespaces for it in _config_maps(kubectl, namespace)),
    )


def ask_bolt(kubectl: Kubectl) -> tuple[Object, ...] | None:
    """Policies and bindings of admission; None where this Kubernetes has none (1.30 has), and nothing was promised."""
    try:
        return tuple(kubectl.objects("validatingadmissionpolicies,validatingadmissionpolicybindings"))
    except ToolError as error:
        if error.says("doesn't have a resource type"):
            return None
        raise


def ask_kinds(kubectl: Kubectl) -> Kinds:
    """The kinds, and what there is of those that matter here."""
    names = frozenset(str(it["metadata"]["name"]) for it in kubectl.objects("customresourcedefinitions"))
    keepers = [kind for kind in (ARGO, FLUX_RELEASES, FLUX) if kind in names]
    configs = kubectl.objects(_NODE_CONFIGS) if _NODE_CONFIGS in names else []
    return Kinds(
        names=names,
        keepers=tuple(it for kind in keepers for it in kubectl.objects(kind)),
        node_keys=frozenset(key for it in configs for key in part(it, "spec", "defaults")),
    )


def ask_release(kubectl: Kubectl) -> Installed | None:
    """The release, None where Helm knows none. Raises StepError where its manifest is no YAML."""
    found = helm.release(kubectl.kubeconfig, SYSTEM, RELEASE)
    if found is None:
        return None
    try:
        return Installed(release=found, objects=tuple(objects_of(found.manifest)))
    except yaml.YAMLError as error:
        # Not its text: it holds Hubble's keys.
        raise StepError("the manifest of the release cannot be read: it is no YAML") from error


def _config_maps(kubectl: Kubectl, namespace: str) -> list[Object]:
    """With the API's record of who changed what, which kubectl leaves out otherwise."""
    options = ("--output=json", "--show-managed-fields", f"--request-timeout={ANSWER}s")
    answer = kubectl.run("get", "configmaps", f"--namespace={namespace}", *options)
    try:
        return cast("list[dict[str, Any]]", json.loads(answer)["items"])
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"the ConfigMaps of {namespace} cannot be read ({error!r})") from error
