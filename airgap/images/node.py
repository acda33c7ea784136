"""The node image: what kind's own base image has, Kubernetes' binaries, and the images of the cluster, unpacked."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from images.catalogue import HERE, PATH, description, kubeadm_names, output
from images.layer import Layer, tree
from images.layout import Image

KIND = "kind/src/images/base/files"
BINARIES = {
    "/usr/bin": ("kubernetes/bin/kubeadm", "kubernetes/bin/kubelet", "kubernetes/bin/kubectl"),
    "/usr/local/bin": (
        "containerd/bin/containerd",
        "containerd/bin/ctr",
        "containerd/bin/containerd-shim-runc-v2",
        "crictl/bin/crictl",
    ),
    # As in kind's image; whoever needs more brings it.
    "/opt/cni/bin": tuple(f"cni-plugins/bin/{name}" for name in ("host-local", "loopback", "ptp", "portmap")),
}
UNITS = ("containerd.service", "kubelet.service", "undo-mount-hacks.service")


def image(store: Path, work: Path) -> Image:
    """The node image. `store` is the layer with the unpacked images; the other layer is written to `work`."""
    files = work / "node.tar"
    layer().write(files)
    config = {
        "Env": [PATH, "container=docker"],
        "Entrypoint": ["/usr/local/bin/entrypoint", "/sbin/init"],
        # systemd ends on this one; SIGTERM only makes it start anew.
        "StopSignal": "SIGRTMIN+3",
        "Labels": description(public=False),
    }
    layers = (output("rootfs/rootfs.tar"), files, store)
    return Image(name=os.environ["PIN_IMAGES_NODE"], layers=layers, config=config)


def layer() -> Layer:
    """Kind's files, the binaries, and the settings that kind's image build would make."""
    kind = output(KIND)
    files = {
        **tree(kind / "usr/local/bin", "/usr/local/bin"),
        **tree(kind / "etc", "/etc"),
        **tree(kind / "kind", "/kind"),
        **{f"{to}/{path.rpartition('/')[2]}": output(path) for to, paths in BINARIES.items() for path in paths},
        # Ahead of Debian's runc on every PATH. It becomes runc, with or without a change to the container.
        "/usr/local/sbin/runc": output("runc-shim/bin/runc-shim"),
        "/kind/bin/restrict-oom-score-adj.sh": HERE / "files" / "restrict-oom-score-adj.sh",
        "/etc/systemd/system/containerd.service.d/10-kit.conf": HERE / "files" / "containerd-kit.conf",
    }
    wants = "/etc/systemd/system/multi-user.target.wants"
    return Layer(
        files=files,
        texts={
            "/kind/version": _version(),
            "/etc/containerd/config.toml": containerd_config((kind / "etc/containerd/config.toml").read_text()),
            "/etc/containerd/cri-base.json": _base_spec(),
            "/etc/systemd/journald.conf.d/10-kind.conf": "[Journal]\nReadKMsg=no\n",
        },
        links={
            **{f"{wants}/{unit}": f"/etc/systemd/system/{unit}" for unit in UNITS},
            # It would register things in a table that the whole machine shares.
            "/etc/systemd/system/systemd-binfmt.service": "/dev/null",
        },
        folders={"/etc/kubernetes/manifests": 0o755},
    )


def containerd_config(kinds: str) -> str:
    """Kind's containerd configuration with the pause image that this kubeadm asks for, the one in the image.

    Raises ValueError where kind's file has no such setting.
    """
    lines = kinds.splitlines(keepends=True)
    found = [number for number, line in enumerate(lines) if line.strip().startswith("sandbox_image = ")]
    if len(found) != 1:
        raise ValueError(f"kind's containerd configuration sets sandbox_image {len(found)} times, not once")
    lines[found[0]] = f'  sandbox_image = "{kubeadm_names()["pause"]}"\n'
    return "".join(lines)


def _version() -> str:
    command = [output("kubernetes/bin/kubeadm"), "version", "-o", "short"]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def _base_spec() -> str:
    """The start of every container's OCI settings: containerd's own, without limits on open files and the like.

    Kind adds a hook that hides the machine's DMI product name from each container. It starts bash, jq and four mounts
    for every one of them, and nothing here reads that name.
    """
    command = [output("containerd/bin/ctr"), "oci", "spec"]
    spec: dict[str, Any] = json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)
    del spec["process"]["rlimits"]
    return json.dumps(spec)
