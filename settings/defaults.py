"""What counts where neither the site file nor the stack says otherwise. Pure."""

from __future__ import annotations

from typing import Any

from settings.hubble import HUBBLE_DEFAULTS
from settings.migration import MIGRATION_DEFAULTS
from settings.traffic import TRAFFIC_DEFAULTS

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
    "hubble": HUBBLE_DEFAULTS,
    "migration": MIGRATION_DEFAULTS,
    "traffic": TRAFFIC_DEFAULTS,
}
