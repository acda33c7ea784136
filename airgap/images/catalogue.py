"""Reads images.toml, which says what is in which image."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from images.layer import Layer, tree
from images.layout import Image

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE / "images.toml"
KEYS = frozenset({"name", "layers", "files", "links", "folders", "config", "iptables", "public"})
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DESCRIPTION = "Built by the air-gapped kit of cni-migration from package registries"
STAND_IN = ". A stand-in for the public image of the same name, not that image."
IPTABLES = ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore")


def images(work: Path) -> list[Image]:
    """Every image of the catalogue; the layers of their own are written to `work`.

    Reads DEP_<TARGET> and PIN_IMAGES_<NAME>. Raises ValueError for a key or a name that nobody knows, and where an
    image that kubeadm asks for is not in the catalogue.
    """
    tables = tomllib.loads(CATALOGUE.read_text())
    kubeadm = kubeadm_names()
    absent = set(kubeadm) - {table["name"].removeprefix("kubeadm ") for table in tables.values()}
    if absent:
        raise ValueError(f"kubeadm asks for images that images.toml does not have: {sorted(absent)}")
    return [_image(key, table, kubeadm, work) for key, table in tables.items()]


def kubeadm_names() -> dict[str, str]:
    """The images that kubeadm of this Kubernetes version asks for: last part of the name -> whole name."""
    kubeadm = output("kubernetes/bin/kubeadm")
    version = subprocess.run([kubeadm, "version", "-o", "short"], check=True, text=True, stdout=subprocess.PIPE)
    command = [kubeadm, "config", "images", "list", "--kubernetes-version", version.stdout.strip()]
    listed = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.split()
    return {name.rpartition(":")[0].rpartition("/")[2]: name for name in listed}


def output(path: str) -> Path:
    """«TARGET/path» as a file of the target's output."""
    target, _, rest = path.partition("/")
    return Path(os.environ[f"DEP_{target.replace('-', '_').upper()}"]) / rest


def description(*, public: bool) -> dict[str, str]:
    """The label that says where an image comes from."""
    return {"org.opencontainers.image.description": DESCRIPTION + (STAND_IN if public else ".")}


def _image(key: str, table: Mapping[str, Any], kubeadm: Mapping[str, str], work: Path) -> Image:
    unknown = set(table) - KEYS
    if unknown:
        raise ValueError(f"images.toml: «{key}» has unknown keys {sorted(unknown)}")
    layers = [output(f"rootfs/{name}") for name in table.get("layers", ())]
    own = _layer(table)
    if own != Layer():
        path = work / f"{key}.tar"
        own.write(path)
        layers.append(path)
    config = dict(table.get("config", {}))
    config["Env"] = [PATH, *config.get("Env", ())]
    config["Labels"] = description(public=table.get("public", True))
    return Image(name=_name(table["name"], kubeadm), layers=tuple(layers), config=config)


def _name(text: str, kubeadm: Mapping[str, str]) -> str:
    kind, _, name = text.partition(" ")
    match kind:
        case "kubeadm":
            return kubeadm[name]
        case "pin":
            return os.environ[f"PIN_IMAGES_{name.replace('-', '_').upper()}"]
        case _:
            raise ValueError(f"images.toml: a name is «kubeadm X» or «pin X», not «{text}»")


def _layer(table: Mapping[str, Any]) -> Layer:
    files: dict[str, Path] = {}
    for target, path in table.get("files", {}).items():
        source = output(path)
        files |= tree(source, target) if source.is_dir() else {target: source}
    if table.get("iptables"):
        files |= {f"/usr/local/sbin/{name}": HERE / "files" / "iptables-wrapper" for name in IPTABLES}
    folders = {path: int(mode, 8) for path, mode in table.get("folders", {}).items()}
    return Layer(files=files, links=table.get("links", {}), folders=folders)
