"""This project's own Pods as far as an admission policy looks at them: labels, images, what they may do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steps.doors.kubectl import Object
from steps.names import FLANNEL_NAMESPACE, MEASUREMENT, PART_OF, PROBE, PROBE_HOST, SYSTEM, TRAFFIC, TRAFFIC_FOLDER

_PRIVILEGED = {"privileged": True}


def own_pods(cni: str, images: Sequence[str]) -> list[Object]:
    """One of each DaemonSet of `cni` and of the probes; `images` are all those that no chart names."""
    probes = [
        _pod(PROBE, MEASUREMENT, {**PART_OF, "app": PROBE}, images[-1:], {"capabilities": {"add": ["NET_RAW"]}}),
        _pod(
            PROBE_HOST,
            MEASUREMENT,
            {**PART_OF, "app": PROBE_HOST},
            images[-1:],
            {"capabilities": {"add": ["NET_RAW", "NET_ADMIN"]}},
            host=True,
        ),
        _pod(TRAFFIC, MEASUREMENT, {"app": TRAFFIC}, images[-1:], {}, path=TRAFFIC_FOLDER),
    ]
    if cni != "flannel":
        return probes
    return [
        _pod(
            "kube-flannel",
            FLANNEL_NAMESPACE,
            {**PART_OF, "app": "flannel"},
            images[:-2],
            _PRIVILEGED,
            host=True,
            path="/run/flannel",
        ),
        _pod(
            "kube-proxy",
            SYSTEM,
            {**PART_OF, "k8s-app": "kube-proxy"},
            images[-2:-1],
            _PRIVILEGED,
            host=True,
            path="/lib/modules",
        ),
        *probes,
    ]


def _pod(
    name: str,
    namespace: str,
    labels: Mapping[str, str],
    images: Sequence[str],
    may: Mapping[str, object],
    *,
    host: bool = False,
    path: str = "",
) -> Object:
    volumes = [{"name": "host", "hostPath": {"path": path, "type": "DirectoryOrCreate"}}] if path else []
    mounts = [{"name": "host", "mountPath": path}] if path else []
    critical = {"priorityClassName": "system-node-critical"} if may == _PRIVILEGED else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"preflight-{name}", "namespace": namespace, "labels": dict(labels)},
        "spec": {
            "hostNetwork": host,
            "automountServiceAccountToken": False,
            "tolerations": [{"operator": "Exists"}],
            "volumes": volumes,
            "containers": [
                {"name": f"c{number}", "image": image, "securityContext": dict(may), "volumeMounts": mounts}
                for number, image in enumerate(images)
            ],
            **critical,
        },
    }
