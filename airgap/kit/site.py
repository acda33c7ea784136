"""The site file: the settings of the program that differ on a machine which gets its images from the kit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHART = "src/install/kubernetes/cilium"
# Setting of the program -> name of the image in pins.toml.
IMAGES = {
    "probe": "probe",
    "flannel": "flannel",
    "flannelCni": "flannel-cni-plugin",
    "cniPlugins": "cni-plugins",
    "kubeProxy": "kube-proxy",
}


def settings(pins: Mapping[str, str], cilium: Path) -> dict[str, Any]:
    """The site's settings. `pins` holds IMAGES_<NAME>, `cilium` is the built target's folder."""
    no_digest = {"useDigest": False}
    page = {"image": {"override": _image(pins, "hubble-page")}}
    return {
        "cluster": {"nodeImage": _image(pins, "node")},
        "images": {setting: _image(pins, name) for setting, name in IMAGES.items()},
        "cilium": {
            "chart": str(cilium / CHART),
            "values": {
                # Envoy cannot be had from package registries.
                "envoy": {"enabled": False},
                "l7Proxy": False,
                # An image that was loaded into a node, not pulled, has no digest.
                "image": no_digest,
                "operator": {"image": no_digest},
                # Nor can Hubble UI: a page of the kit's own is in the place of both of its containers.
                "hubble": {"ui": {"frontend": page, "backend": page}, "relay": {"image": no_digest}},
            },
        },
    }


def write(pins: Mapping[str, str], cilium: Path, path: Path) -> None:
    """Write the site file. It is JSON, which is YAML too, and needs no library to write."""
    path.write_text(json.dumps(settings(pins, cilium), indent=2) + "\n")


def _image(pins: Mapping[str, str], name: str) -> str:
    return pins[f"IMAGES_{name.replace('-', '_').upper()}"]
