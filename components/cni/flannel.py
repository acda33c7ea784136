"""Flannel in VXLAN mode, as typed Kubernetes resources, with the kube-proxy that belongs to it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cni.kube_proxy import KubeProxy, KubeProxyArgs
from components.cni.workload import FORCE, agent, host_env, labels, metadata, volumes
from components.gate import Gate, gated
from steps.names import FLANNEL_NAMESPACE, OWNER_LABEL

_NAME = "kube-flannel-ds"
_NAMESPACE = FLANNEL_NAMESPACE
# The plugins Flannel's conflist delegates to. kind's node image has no bridge (kind#3015).
_REFERENCE_PLUGINS = ("bridge", "host-local", "loopback", "portmap")
# The conflist comes when flanneld has its subnet, not before as in Flannel's own manifest: a Pod whose sandbox is tried
# in between fails, and the kubelet tries it again only 15 s later.
_INSTALL_CONFLIST = """\
tries=0
until [ -s /run/flannel/subnet.env ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ]; then echo "no subnet within 60 s" >&2; exit 1; fi
  sleep 0.2
done
cp -f /etc/kube-flannel/cni-conf.json /etc/cni/net.d/10-flannel.conflist
"""


@dataclass(frozen=True, kw_only=True)
class FlannelArgs:
    """Images, the podCIDR, and host:port of the API server as nodes reach it."""

    image: str
    cni_image: str
    plugins_image: str
    kube_proxy_image: str
    pod_subnet: str
    api_host: str
    api_port: int
    gate: Gate
    provider: kubernetes.Provider


def flannel_files(pod_subnet: str) -> dict[str, str]:
    """The two files of the ConfigMap: the CNI conflist and flanneld's net-conf (VXLAN on Linux's UDP port 8472)."""
    conflist = {
        "name": "cbr0",
        "cniVersion": "0.3.1",
        "plugins": [
            {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    net_conf = {"Network": pod_subnet, "EnableNFTables": False, "Backend": {"Type": "vxlan", "Port": 8472}}
    return {"cni-conf.json": json.dumps(conflist, indent=2), "net-conf.json": json.dumps(net_conf, indent=2)}


class Flannel(pulumi.ComponentResource):
    """Owns the namespace kube-flannel and all in it, Flannel's ClusterRole and binding, and kube-proxy. Not what
    flanneld, its plugin and kube-proxy write on the nodes: NodeCleanup removes that."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: FlannelArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cni-migration:index:Flannel", name, None, opts)
        child_opts = gated(self, args.gate, args.provider)
        core, rbac = kubernetes.core.v1, kubernetes.rbac.v1

        proxy = KubeProxy(
            f"{name}-kube-proxy",
            KubeProxyArgs(
                image=args.kube_proxy_image,
                api=f"{args.api_host}:{args.api_port}",
                pod_subnet=args.pod_subnet,
                gate=args.gate,
                provider=args.provider,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        namespace = core.Namespace(
            f"{name}-namespace",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=_NAMESPACE,
                labels={**labels(), "pod-security.kubernetes.io/enforce": "privileged"},
                annotations=dict(FORCE),
            ),
            opts=pulumi.ResourceOptions.merge(
                child_opts,
                # Without it the engine takes whatever users have put into it along; steps/old_cni.py removes it where
                # nothing of anybody else is in there.
                pulumi.ResourceOptions(retain_on_delete=True),
            ),
        )
        in_namespace = pulumi.ResourceOptions.merge(child_opts, pulumi.ResourceOptions(depends_on=[namespace]))
        account = core.ServiceAccount(f"{name}-account", metadata=metadata("flannel", _NAMESPACE), opts=in_namespace)
        rules = [(["pods"], ["get"]), (["nodes"], ["get", "list", "watch"]), (["nodes/status"], ["patch"])]
        role = rbac.ClusterRole(
            f"{name}-role",
            metadata=metadata("flannel"),
            rules=[rbac.PolicyRuleArgs(api_groups=[""], resources=what, verbs=verbs) for what, verbs in rules],
            opts=child_opts,
        )
        binding = rbac.ClusterRoleBinding(
            f"{name}-binding",
            metadata=metadata("flannel"),
            role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name="flannel"),
            subjects=[rbac.SubjectArgs(kind="ServiceAccount", name="flannel", namespace=_NAMESPACE)],
            opts=child_opts,
        )
        files = core.ConfigMap(
            f"{name}-config",
            metadata=metadata("kube-flannel-cfg", _NAMESPACE),
            data=flannel_files(args.pod_subnet),
            opts=in_namespace,
        )
        daemon_set = agent(
            f"{name}-daemonset",
            name=_NAME,
            namespace=_NAMESPACE,
            account="flannel",
            labels={**labels(), "app": "flannel"},
            nodes={OWNER_LABEL: "flannel"},
            init_containers=_init_containers(args),
            containers=[_flanneld(args)],
            volumes=volumes(
                {
                    "run": ("/run/flannel", "DirectoryOrCreate"),
                    "cni-bin": ("/opt/cni/bin", "DirectoryOrCreate"),
                    "cni-conf": ("/etc/cni/net.d", "DirectoryOrCreate"),
                    "xtables-lock": ("/run/xtables.lock", "FileOrCreate"),
                },
                config_maps={"config": "kube-flannel-cfg"},
            ),
            opts=pulumi.ResourceOptions.merge(
                child_opts, pulumi.ResourceOptions(depends_on=[namespace, account, role, binding, files])
            ),
        )
        self.ready = [daemon_set, proxy]
        self.register_outputs({})


def _mount(name: str, path: str) -> kubernetes.core.v1.VolumeMountArgs:
    return kubernetes.core.v1.VolumeMountArgs(name=name, mount_path=path)


def _init_containers(args: FlannelArgs) -> list[kubernetes.core.v1.ContainerArgs]:
    plugins = " ".join(f"/opt/cni/bin/{plugin}" for plugin in _REFERENCE_PLUGINS)
    return [
        kubernetes.core.v1.ContainerArgs(
            name="install-reference-plugins",
            image=args.plugins_image,
            # Only those that are missing (-n): the node image's own are left as they are.
            command=["/bin/sh", "-c", f"cp -n {plugins} /host/opt/cni/bin/"],
            volume_mounts=[_mount("cni-bin", "/host/opt/cni/bin")],
        ),
        kubernetes.core.v1.ContainerArgs(
            name="install-cni-plugin",
            image=args.cni_image,
            command=["cp", "-f", "/flannel", "/opt/cni/bin/flannel"],
            volume_mounts=[_mount("cni-bin", "/opt/cni/bin")],
        ),
    ]


def _flanneld(args: FlannelArgs) -> kubernetes.core.v1.ContainerArgs:
    core = kubernetes.core.v1
    return core.ContainerArgs(
        name="kube-flannel",
        image=args.image,
        command=["/opt/bin/flanneld", "--ip-masq", "--kube-subnet-mgr"],
        env=[
            core.EnvVarArgs(
                name="POD_NAME",
                value_from=core.EnvVarSourceArgs(field_ref=core.ObjectFieldSelectorArgs(field_path="metadata.name")),
            ),
            core.EnvVarArgs(
                name="POD_NAMESPACE",
                value_from=core.EnvVarSourceArgs(
                    field_ref=core.ObjectFieldSelectorArgs(field_path="metadata.namespace")
                ),
            ),
            host_env(),
            # The API by its address: the ClusterIP waits for kube-proxy, and flanneld would restart until then.
            core.EnvVarArgs(name="KUBERNETES_SERVICE_HOST", value=args.api_host),
            core.EnvVarArgs(name="KUBERNETES_SERVICE_PORT", value=str(args.api_port)),
        ],
        security_context=core.SecurityContextArgs(privileged=True),
        lifecycle=core.LifecycleArgs(
            post_start=core.LifecycleHandlerArgs(
                exec_=core.ExecActionArgs(command=["/bin/sh", "-c", _INSTALL_CONFLIST])
            )
        ),
        volume_mounts=[
            _mount("run", "/run/flannel"),
            _mount("cni-conf", "/etc/cni/net.d"),
            _mount("config", "/etc/kube-flannel/"),
            _mount("xtables-lock", "/run/xtables.lock"),
        ],
    )
