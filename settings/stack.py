"""The stack's settings, layer by layer.

Three layers, later ones win: the defaults below, the site file named by CNI_MIGRATION_SITE (where a machine gets its
images and its chart from; same keys), and the stack's own Pulumi.<stack>.yaml. Every mistake in any of them is
collected and reported at once, as one SettingsError, before anything is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from settings.defaults import DEFAULTS
from settings.errors import refusal
from settings.helm_values import value_errors
from settings.hubble import HubbleSettings, read_hubble
from settings.layers import PROJECT, SITE_VARIABLE, secret_keys, site, stack_config
from settings.migration import MigrationSettings, read_migration
from settings.reading import Reader
from settings.site_file import SiteTree
from settings.subnets import check_subnets, read_subnet
from settings.traffic import TrafficSettings, check_rate, read_traffic

Cni = Literal["flannel", "cilium"]


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
    hubble: HubbleSettings
    migration: MigrationSettings
    traffic: TrafficSettings
    # Whether the stack keeps the key `cilium`, or anything below it, as a secret: Pulumi tells of whole keys only.
    cilium_is_secret: bool = False


def load() -> Settings:
    """The settings of the current stack; raises SettingsError with every mistake in them."""
    return replace(parse(stack_config(), site()), cilium_is_secret=f"{PROJECT}:cilium" in secret_keys())


# Labels of RFC 1123 joined by dots, since kind names its nodes by it, and Kubernetes takes no other names of nodes.
LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
CLUSTER_NAME = rf"(?=.{{1,40}}$){LABEL}(\.{LABEL})*"
# A tag may go on behind the version (v1.34.4-kit); only a pre-release is part of it, as upstream's images are tagged.
KUBERNETES = r":v?([0-9]+\.[0-9]+\.[0-9]+(?:-(?:alpha|beta|rc)\.[0-9]+)?)"


def parse(stack: Mapping[str, Any], site_layer: Mapping[str, Any] | None = None) -> Settings:
    """Check `stack` laid over `site_layer` laid over the defaults. Raises SettingsError naming every mistake."""
    read = Reader(DEFAULTS, [(SITE_VARIABLE, site_layer or {}), ("stack", stack)], extra_keys=("cni",))
    cni = read.choice("cni", ("flannel", "cilium"))
    cluster = _read_cluster(read)
    kubernetes = read.match("cluster.nodeImage", KUBERNETES, "its tag must name the Kubernetes version")
    images = ImageSettings(
        probe=read.text("images.probe"),
        flannel=read.text("images.flannel"),
        flannel_cni=read.text("images.flannelCni"),
        cni_plugins=read.text("images.cniPlugins"),
        kube_proxy=read.text("images.kubeProxy", empty=f"registry.k8s.io/kube-proxy:v{kubernetes}"),
    )
    cilium = CiliumSettings(
        version=read.pattern(
            "cilium.version", r"v?[0-9]+\.[0-9]+\.[0-9]+\S*", "write the chart's version, such as 1.19.4", "1.19.4"
        ),
        repository=read.text("cilium.repository"),
        chart=read.text("cilium.chart"),
        values=read.mapping("cilium.values"),
    )
    migration = read_migration(read, cluster.name, cluster.control_planes, cluster.workers)
    hubble, traffic = read_hubble(read), read_traffic(read)
    check_rate(read, migration, traffic)
    errors = (site_layer.mistakes if isinstance(site_layer, SiteTree) else []) + read.errors
    errors += value_errors("cilium.values", cilium.values) if cni == "cilium" else []
    if errors:
        raise refusal(errors)
    return Settings(
        cni=cast("Cni", cni),
        cluster=cluster,
        images=images,
        cilium=cilium,
        hubble=hubble,
        migration=migration,
        traffic=traffic,
    )


def _read_cluster(read: Reader) -> ClusterSettings:
    pods, services = read_subnet(read, "cluster.podSubnet"), read_subnet(read, "cluster.serviceSubnet")
    cluster = ClusterSettings(
        name=read.pattern(
            "cluster.name",
            CLUSTER_NAME,
            "kind takes lower-case letters, digits, dots and dashes, with a letter or digit at both ends and beside "
            "each dot, and the node names made of it must stay under 64 characters; choose one such as cni-migration",
        ),
        control_planes=read.integer("cluster.controlPlanes", 1, 9),
        workers=read.integer("cluster.workers", 0, 50),
        pod_subnet=str(pods),
        service_subnet=str(services),
        node_image=str(read.given("cluster.nodeImage")).strip(),
    )
    if pods and services and read.sound("cluster.controlPlanes", "cluster.workers"):
        check_subnets(read, pods, services, cluster.control_planes + cluster.workers)
    if cluster.workers < 1:
        read.refuse(
            "cluster.workers",
            f"{cluster.workers} leaves no worker; the verification sends packets between "
            "two nodes and Pods need a node without the control plane's taint: set it to 1 or more",
        )
    return cluster
