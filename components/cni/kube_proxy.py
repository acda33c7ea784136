"""kube-proxy as typed Kubernetes resources: the half of the Flannel choice that serves Services."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.cni.workload import agent, host_env, labels, metadata, volumes
from components.gate import Gate, gated
from steps.names import SERVICES_LABEL, SYSTEM

_NAME = "kube-proxy"
_NAMESPACE = SYSTEM


@dataclass(frozen=True, kw_only=True)
class KubeProxyArgs:
    """`api` is host:port of the API server as nodes reach it; a ClusterIP would need kube-proxy to be there already."""

    image: str
    api: str
    pod_subnet: str
    gate: Gate
    provider: kubernetes.Provider


def kube_proxy_files(api: str, pod_subnet: str) -> dict[str, str]:
    """The two files of the ConfigMap: kube-proxy's own configuration and its kubeconfig."""
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": pod_subnet,
        "clientConnection": {"kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"},
        # The host owns nf_conntrack_max, and a node container may not write it.
        "conntrack": {"maxPerCore": 0},
    }
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "default", "cluster": {"certificate-authority": f"{folder}/ca.crt", "server": f"https://{api}"}}
        ],
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
        "current-context": "default",
        "users": [{"name": "default", "user": {"tokenFile": f"{folder}/token"}}],
    }
    return {"config.conf": yaml.safe_dump(config), "kubeconfig.conf": yaml.safe_dump(kubeconfig)}


class KubeProxy(pulumi.ComponentResource):
    """Owns kube-proxy's ServiceAccount, its binding, its ConfigMap and its DaemonSet. Not the KUBE-* chains it writes
    on the nodes, which outlive it: NodeCleanup removes those."""

    def __init__(self, name: str, args: KubeProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:KubeProxy", name, None, opts)
        child_opts = gated(self, args.gate, args.provider)
        core, rbac = kubernetes.core.v1, kubernetes.rbac.v1

        account = core.ServiceAccount(f"{name}-account", metadata=metadata(_NAME, _NAMESPACE), opts=child_opts)
        rbac.ClusterRoleBinding(
            f"{name}-binding",
            metadata=metadata(_NAME),
            role_ref=rbac.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="ClusterRole", name="system:node-proxier"
            ),
            subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=_NAME, namespace=_NAMESPACE)],
            opts=child_opts,
        )
        files = core.ConfigMap(
            f"{name}-config",
            metadata=metadata(_NAME, _NAMESPACE),
            data=kube_proxy_files(args.api, args.pod_subnet),
            opts=child_opts,
        )
        mounts = {"config": "/var/lib/kube-proxy", "modules": "/lib/modules", "xtables-lock": "/run/xtables.lock"}
        container = core.ContainerArgs(
            name=_NAME,
            image=args.image,
            command=[
                "/usr/local/bin/kube-proxy",
                "--config=/var/lib/kube-proxy/config.conf",
                "--hostname-override=$(NODE_NAME)",
            ],
            env=[host_env()],
            security_context=core.SecurityContextArgs(privileged=True),
            volume_mounts=[core.VolumeMountArgs(name=key, mount_path=path) for key, path in mounts.items()],
        )
        agent(
            f"{name}-daemonset",
            name=_NAME,
            namespace=_NAMESPACE,
            account=_NAME,
            labels={**labels(), "k8s-app": _NAME},
            nodes={SERVICES_LABEL: _NAME},
            containers=[container],
            init_containers=[],
            volumes=volumes(
                {
                    "modules": ("/lib/modules", "DirectoryOrCreate"),
                    "xtables-lock": ("/run/xtables.lock", "FileOrCreate"),
                },
                config_maps={"config": _NAME},
            ),
            opts=pulumi.ResourceOptions.merge(child_opts, pulumi.ResourceOptions(depends_on=[account, files])),
        )
        self.register_outputs({})
