"""The stack's settings, layer by layer.

Three layers, later ones win: the defaults below, the site file named by CNI_MIGRATION_SITE (where a machine gets its
images and its chart from; same keys), and the stack's own Pulumi.<stack>.yaml. Every mistake in any of them is
collected and reported at once, as one SettingsError, before anything is touched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import pulumi
import yaml

from settings.helm_values import value_errors
from settings.migration import (
    MIGRATION_DEFAULTS,
    TRAFFIC_DEFAULTS,
    MigrationSettings,
    TrafficSettings,
    rate_errors,
    read_migration,
    read_traffic,
)
from settings.reading import Reader
from settings.subnets import parse_subnet, subnet_errors

PROJECT = "cni-migration"
SITE_VARIABLE = "CNI_MIGRATION_SITE"

Cni = Literal["flannel", "cilium"]


class SettingsError(pulumi.RunError):
    """Everything that is wrong with the settings, one line each."""


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """The Kind cluster. A running cluster cannot change any of these."""

    name: str
    control_planes: int
    workers: int
    pod_subnet: str
    service_subnet: str
    node_image: str


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """Images of what this project deploys itself; Cilium's own come from its chart."""

    probe: str
    flannel: str
    flannel_cni: str
    cni_plugins: str
    kube_proxy: str


@dataclass(frozen=True, kw_only=True)
class CiliumSettings:
    """Where the chart comes from, and the values laid over this project's own (the stack's win)."""

    version: str
    repository: str
    chart: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A stack's settings, checked."""

    cni: Cni
    cluster: ClusterSettings
    images: ImageSettings
    cilium: CiliumSettings
    migration: MigrationSettings
    traffic: TrafficSettings
    # Whether the stack keeps the key `cilium`, or anything below it, as a secret: Pulumi tells of whole keys only.
    cilium_is_secret: bool = False


# Public images; tags and digests as published with kind v0.33.0, Flannel v0.28.4 and Cilium v1.19.4.
DEFAULTS: dict[str, Any] = {
    "cluster": {
        "name": "cni-migration",
        "controlPlanes": 1,
        "workers": 2,
        "podSubnet": "10.244.0.0/16",
        "serviceSubnet": "10.96.0.0/16",
        "nodeImage": "kindest/node:v1.34.11@sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d",
    },
    "images": {
        "probe": "docker.io/nicolaka/netshoot:v0.14",
        "flannel": "ghcr.io/flannel-io/flannel:v0.28.4",
        "flannelCni": "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.0-flannel1",
        # kind's node image has no bridge plugin, which Flannel delegates to (kind#3015).
        "cniPlugins": "docker.io/rancher/hardened-cni-plugins:v1.9.1-build20260608",
        "kubeProxy": "",  # of the node image's own Kubernetes version
    },
    "cilium": {"version": "1.19.4", "repository": "https://helm.cilium.io", "chart": "cilium", "values": {}},
    "migration": MIGRATION_DEFAULTS,
    "traffic": TRAFFIC_DEFAULTS,
}


def load() -> Settings:
    """The settings of the current stack; raises SettingsError with every mistake in them."""
    return replace(parse(stack_config(), site()), cilium_is_secret=f"{PROJECT}:cilium" in secret_keys())


def site() -> Mapping[str, Any]:
    """What the site file says, nothing where none is named; raises SettingsError where it cannot be read."""
    path = os.environ.get(SITE_VARIABLE)
    if not path:
        return {}
    try:
        loaded = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"{SITE_VARIABLE}={path} cannot be read: {error}") from error
    if loaded is not None and not isinstance(loaded, dict):
        raise SettingsError(f"{SITE_VARIABLE}={path} holds no mapping of settings")
    return cast("Mapping[str, Any]", loaded or {})


def stack_config() -> dict[str, Any]:
    """The stack's own keys as one tree: `cni-migration:cluster` and the like, and the namespace `migration`."""
    tree: dict[str, Any] = {}
    for full_key in json.loads(os.environ.get("PULUMI_CONFIG", "{}")):
        namespace, key = str(full_key).split(":", 1)
        if namespace == PROJECT:
            tree[key] = _value(pulumi.Config(PROJECT), key)
        elif namespace == "migration":
            tree.setdefault("migration", {})[key] = _value(pulumi.Config("migration"), key)
    return tree


def secret_keys() -> frozenset[str]:
    """The stack's keys, NAMESPACE:KEY, of which something was set with --secret. Their values are read as any other's,
    and whoever hands one to a resource says that it is a secret."""
    return frozenset(str(key) for key in json.loads(os.environ.get("PULUMI_CONFIG_SECRET_KEYS", "[]")))


def _value(config: pulumi.Config, key: str) -> object:
    """A structured value as such, anything else as the text it is."""
    text = config.require(key)
    try:
        return json.loads(text) if text.startswith(("{", "[")) else text
    except ValueError:
        return text  # which is then reported as the wrong value that it is


def parse(stack: Mapping[str, Any], site_layer: Mapping[str, Any] | None = None) -> Settings:
    """Check `stack` laid over `site_layer` laid over the defaults. Raises SettingsError naming every mistake."""
    read = Reader(DEFAULTS, [(SITE_VARIABLE, site_layer or {}), ("stack", stack)], extra_keys=("cni",))
    cni = read.choice("cni", ("flannel", "cilium"))
    cluster = ClusterSettings(
        name=read.pattern(
            "cluster.name",
            r"[a-z0-9]([a-z0-9.-]{0,38}[a-z0-9])?",
            "kind takes lower-case letters, digits, dots and dashes, and the node names made of it must stay "
            "under 64 characters; choose one such as cni-migration",
        ),
        control_planes=read.integer("cluster.controlPlanes", 1, 9),
        workers=read.integer("cluster.workers", 0, 50),
        pod_subnet=read.text("cluster.podSubnet"),
        service_subnet=read.text("cluster.serviceSubnet"),
        node_image=read.text("cluster.nodeImage"),
    )
    kubernetes = read.match("cluster.nodeImage", r":v?(\d+\.\d+\.\d+)", "its tag must name the Kubernetes version")
    images = ImageSettings(
        probe=read.text("images.probe"),
        flannel=read.text("images.flannel"),
        flannel_cni=read.text("images.flannelCni"),
        cni_plugins=read.text("images.cniPlugins"),
        kube_proxy=read.text("images.kubeProxy", empty=f"registry.k8s.io/kube-proxy:v{kubernetes}"),
    )
    cilium = CiliumSettings(
        version=read.pattern("cilium.version", r"v?\d+\.\d+\.\d+\S*", "write the chart's version, such as 1.19.4"),
        repository=read.text("cilium.repository"),
        chart=read.text("cilium.chart"),
        values=read.mapping("cilium.values"),
    )
    migration = read_migration(read, cluster.name, cluster.control_planes, cluster.workers)
    traffic = read_traffic(read)
    errors = read.errors + _across_keys(cluster) + rate_errors(migration, traffic)
    errors += value_errors("cilium.values", cilium.values) if cni == "cilium" else []
    if errors:
        raise SettingsError("the settings are wrong, and nothing was touched:\n  - " + "\n  - ".join(errors))
    return Settings(
        cni=cast("Cni", cni), cluster=cluster, images=images, cilium=cilium, migration=migration, traffic=traffic
    )


def _across_keys(cluster: ClusterSettings) -> list[str]:
    errors: list[str] = []
    pods = parse_subnet("cluster.podSubnet", cluster.pod_subnet, errors)
    services = parse_subnet("cluster.serviceSubnet", cluster.service_subnet, errors)
    nodes = cluster.control_planes + cluster.workers
    if pods and services:
        errors += subnet_errors(pods, services, nodes)
    if cluster.workers < 1:
        errors.append(
            f"cluster.workers: {cluster.workers} leaves no worker; the verification sends packets between "
            "two nodes and Pods need a node without the control plane's taint: set it to 1 or more"
        )
    return errors
