"""An OCI image layout on disk: one folder for any number of images; a layer that two of them have is one file."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
# containerd reads the image's name from the first, other tools the tag from the second.
NAME = "io.containerd.image.name"
REF = "org.opencontainers.image.ref.name"
# A digest of all that makes the image, as a label: it tells whether an engine has this very image.
CONTENT = "cni-migration.content"


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image: layers from the lowest up, all of them tar files without compression."""

    name: str
    layers: tuple[Path, ...]
    # The `config` object of the OCI configuration: Env, Entrypoint, Cmd, User, WorkingDir, StopSignal, Labels.
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])


def write(images: list[Image], out: Path) -> None:
    """Write a layout with `images` to the folder `out`. Layers are linked, where that is possible, not copied."""
    blobs = out / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    digests: dict[Path, str] = {}
    for layer in dict.fromkeys(layer for image in images for layer in image.layers):
        digests[layer] = _digest(layer)
        _link(layer, blobs / digests[layer])
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [_manifest(image, digests, blobs) for image in images],
    }
    (out / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (out / "index.json").write_text(json.dumps(index))


def read(layout: Path) -> list[tuple[str, dict[str, Any]]]:
    """The images of a layout: name and manifest."""
    index = json.loads((layout / "index.json").read_text())
    return [(entry["annotations"][NAME], json.loads(blob(layout, entry).read_text())) for entry in index["manifests"]]


def only(source: Path, name: str, out: Path) -> None:
    """Write a layout with one image of the layout `source`. Raises KeyError where it has no image of that name."""
    index = json.loads((source / "index.json").read_text())
    entry = {entry["annotations"][NAME]: entry for entry in index["manifests"]}[canonical(name)]
    (out / "blobs" / "sha256").mkdir(parents=True)
    manifest = json.loads(blob(source, entry).read_text())
    for descriptor in (entry, manifest["config"], *manifest["layers"]):
        _link(blob(source, descriptor), blob(out, descriptor))
    (out / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (out / "index.json").write_text(json.dumps({**index, "manifests": [entry]}))


def canonical(name: str) -> str:
    """The name in full, as the kubelet asks containerd for it: one without a registry is of docker.io."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def blob(layout: Path, descriptor: Mapping[str, Any]) -> Path:
    """The file that a descriptor of the layout stands for."""
    return layout / "blobs" / descriptor["digest"].replace(":", "/")


def write_content(layout: Path) -> None:
    """Write the label CONTENT of the layout's one image to the file `content` beside its index."""
    ((_, manifest),) = read(layout)
    config = json.loads(blob(layout, manifest["config"]).read_text())
    (layout / "content").write_text(config["config"]["Labels"][CONTENT])


def _manifest(image: Image, digests: Mapping[Path, str], blobs: Path) -> dict[str, Any]:
    target = {"architecture": MACHINES.get(platform.machine(), platform.machine()), "os": "linux"}
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{digests[layer]}" for layer in image.layers]}
    identity = hashlib.sha256(json.dumps([image.config, rootfs], sort_keys=True).encode()).hexdigest()
    labels = {**image.config.get("Labels", {}), CONTENT: identity}
    config = {**target, "config": {**image.config, "Labels": labels}, "rootfs": rootfs}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _json(config, CONFIG, blobs),
        "layers": [
            {"mediaType": LAYER, "digest": f"sha256:{digests[layer]}", "size": layer.stat().st_size}
            for layer in image.layers
        ],
    }
    annotations = {NAME: canonical(image.name), REF: image.name.rpartition(":")[2]}
    return {**_json(manifest, MANIFEST, blobs), "platform": target, "annotations": annotations}


def _json(value: Mapping[str, Any], media_type: str, blobs: Path) -> dict[str, Any]:
    text = json.dumps(value, sort_keys=True).encode()
    digest = hashlib.sha256(text).hexdigest()
    (blobs / digest).write_bytes(text)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(text)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # The folders may be on two file systems.
        shutil.copyfile(source, target)
