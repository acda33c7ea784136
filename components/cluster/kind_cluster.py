"""KindCluster: the cluster, made or adopted, and the Kubernetes provider that speaks to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.command import command
from plan.observation import Observed
from plan.ownership import Claim
from settings import ClusterSettings
from settings.hubble import NODE_PORT, HostPort
from settings.kind import control_plane_names, node_names


@dataclass(frozen=True, kw_only=True)
class KindClusterArgs:
    """`observed` is the cluster as it is now, None where there is none; `claim` is what this stack will own."""

    name: str
    control_planes: int
    workers: int
    pod_subnet: str
    service_subnet: str
    node_image: str
    observed: Observed | None
    claim: Claim
    # A cluster's own where there is one: kind could not add it, and a difference would be a change for ever.
    hubble: HostPort | None = None

    @classmethod
    def of(
        cls, cluster: ClusterSettings, observed: Observed | None, claim: Claim, hubble: HostPort | None
    ) -> KindClusterArgs:
        """The cluster as the settings have it."""
        return cls(**asdict(cluster), observed=observed, claim=claim, hubble=hubble)


def kind_config(args: KindClusterArgs) -> dict[str, Any]:
    """kind's config. No CNI and no kube-proxy: both belong to the CNI that a stack chooses."""
    roles = ["control-plane"] * args.control_planes + ["worker"] * args.workers
    nodes: list[dict[str, Any]] = [{"role": role, "image": args.node_image} for role in roles]
    if args.hubble:
        # A NodePort is served by every node, so one of them is enough.
        mapping = {"containerPort": NODE_PORT, "hostPort": args.hubble.port, "listenAddress": args.hubble.address}
        nodes[0]["extraPortMappings"] = [mapping]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {
            "disableDefaultCNI": True,
            "kubeProxyMode": "none",
            "podSubnet": args.pod_subnet,
            "serviceSubnet": args.service_subnet,
        },
        "nodes": nodes,
    }


def differences(args: KindClusterArgs) -> list[str]:
    """Settings that the running cluster cannot follow, one sentence each; empty where there is no cluster."""
    if args.observed is None:
        return []
    found = args.observed
    asked = sorted(node_names(args.name, args.control_planes, args.workers))
    nodes = sorted(node.name for node in found.nodes)
    images = sorted({_without_digest(node.image) for node in found.nodes})
    pairs = [
        ("the nodes (cluster.controlPlanes, cluster.workers)", asked, nodes),
        ("cluster.podSubnet", args.pod_subnet, found.pod_subnet),
        ("cluster.serviceSubnet", args.service_subnet, found.service_subnet),
        ("cluster.nodeImage", [_without_digest(args.node_image)], images),
    ]
    return [f"{key}: the settings ask for {want}, the cluster has {have}" for key, want, have in pairs if want != have]


def _without_digest(image: str) -> str:
    # docker shows an image pulled by tag and digest with or without either; the tag is what both sides have.
    return image.split("@", 1)[0].removeprefix("docker.io/")


class ClusterMismatchError(pulumi.RunError):
    """The running cluster differs from the settings in what only a new cluster could change."""


class KindCluster(pulumi.ComponentResource):
    """Owns the Kind cluster and its kubeconfig; deletes it only while the marker names this stack as its owner.

    Does not own what runs in it, nor a cluster's settings after its creation: a difference is a
    ClusterMismatchError before anything is touched, never a silent no-op and never a new cluster.
    """

    name: str
    kubeconfig: pulumi.Output[str]
    node_names: list[str]
    # The first one: it keeps the steps of a recording.
    control_plane: str
    resource: pulumi.Resource
    provider: kubernetes.Provider

    def __init__(self, name: str, args: KindClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        wrong = differences(args)
        if wrong:
            raise ClusterMismatchError(
                f"cluster {args.name} runs with other settings, and only a new cluster could follow these:\n  - "
                + "\n  - ".join(wrong)
                + "\nSet them back, or destroy the stack that owns it first. A second cluster needs a second stack."
            )
        super().__init__("cni-migration:index:KindCluster", name, None, opts)
        child_opts = pulumi.ResourceOptions(parent=self)

        # The Command is never replaced, only updated: create runs again (it makes or adopts, and prints the
        # kubeconfig) when the generation in its environment is a new one. A replacement would run the delete script.
        cluster = command(
            f"{name}-kind",
            "cluster_up",
            delete="cluster_down",
            environment={"CLUSTER": args.name, "STACK": args.claim.stack, "GENERATION": args.claim.generation},
            stdin=yaml.safe_dump(kind_config(args), sort_keys=False),
            opts=pulumi.ResourceOptions.merge(
                child_opts,
                pulumi.ResourceOptions(additional_secret_outputs=["stdout"]),
            ),
        )
        self.name = args.name
        self.control_plane = control_plane_names(args.name, args.control_planes)[0]
        self.resource = cluster
        self.kubeconfig = pulumi.Output.secret(cluster.stdout)
        self.node_names = node_names(args.name, args.control_planes, args.workers)
        self.provider = kubernetes.Provider(
            f"{name}-kubernetes",
            kubeconfig=self.kubeconfig,
            # Without it a kubeconfig that is not known yet looks like another cluster, and everything is replaced.
            cluster_identifier=f"kind-{args.name}",
            # The other stack may have destroyed the cluster: the refresh then drops from this state what is gone
            # with it, where it would otherwise fail and ask for the state to be edited.
            delete_unreachable=True,
            suppress_helm_hook_warnings=True,
            opts=pulumi.ResourceOptions.merge(child_opts, pulumi.ResourceOptions(deleted_with=cluster)),
        )
        self.register_outputs({"kubeconfig": self.kubeconfig, "nodes": self.node_names})
