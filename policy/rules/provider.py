"""The Kubernetes provider: a named one for every object, that survives the loss of its cluster."""

from __future__ import annotations

from collections.abc import Iterator

from rule import KUBERNETES_PROVIDER, Resource, Settings, resource_rule


def _named(resource: Resource, settings: Settings) -> Iterator[str]:
    if resource.type.startswith("kubernetes:") and (resource.provider or "default").startswith("default"):
        yield "it has no provider of its own: it would go to whatever kubectl points at; set provider=cluster.provider"


def _settings(resource: Resource, settings: Settings) -> Iterator[str]:
    if resource.type != KUBERNETES_PROVIDER:
        return
    if str(resource.props.get("deleteUnreachable")).lower() != "true":
        yield (
            "delete_unreachable is not set: when the other stack has destroyed the cluster, every refresh of this one "
            "fails; set it to True"
        )
    if not resource.props.get("clusterIdentifier"):
        yield (
            "cluster_identifier is not set: a kubeconfig that is not known yet looks like another cluster, and "
            "everything is replaced; set it to kind-NAME"
        )


RULES = [
    resource_rule("explicit-provider", "Every Kubernetes object names its provider.", _named),
    resource_rule("provider-survives-its-cluster", "The provider copes with a cluster that is gone.", _settings),
]
