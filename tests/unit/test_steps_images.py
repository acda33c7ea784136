"""The images package: layers, layouts, and what the catalogue and the node image are made of."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest

from images import catalogue, layout, node
from images.layer import Layer
from images.layout import Image
from kit.paths import AIRGAP


def layer(folder: Path, name: str, text: str) -> Path:
    Layer(texts={f"/etc/{name}": text}).write(folder / f"{name}.tar")
    return folder / f"{name}.tar"


def test_a_layer_is_the_same_bytes_whenever_it_is_made(tmp_path: Path) -> None:
    source = tmp_path / "tool"
    for moment, name in ((1, "a.tar"), (2_000_000_000, "b.tar")):
        source.write_text("x")
        source.chmod(0o755)
        os.utime(source, (moment, moment))
        Layer(files={"/usr/bin/tool": source}, folders={"/tmp": 0o1777}).write(tmp_path / name)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes(), "every build would load anew"
    with tarfile.open(tmp_path / "a.tar") as archive:
        modes = {entry.name: entry.mode for entry in archive}
    assert modes == {"tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755, "usr/bin/tool": 0o755}


def test_a_layer_does_not_hide_debians_usr(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="/sbin/init"):
        Layer(links={"/sbin/init": "/usr/bin/x"}).write(tmp_path / "a.tar")


def test_a_missing_binary_is_an_error_not_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Layer(files={"/usr/bin/tool": tmp_path / "absent"}).write(tmp_path / "a.tar")


def test_two_images_share_the_layer_that_they_have_in_common(tmp_path: Path) -> None:
    base, one, two = (layer(tmp_path, name, name) for name in ("base", "one", "two"))
    images = [Image(name=f"example.org/{tip.stem}:1", layers=(base, tip)) for tip in (one, two)]
    layout.write(images, tmp_path / "out")
    # Three layers, and a configuration and a manifest for each of the two.
    assert len(list((tmp_path / "out/blobs/sha256").iterdir())) == 7
    lowest = {manifest["layers"][0]["digest"] for _, manifest in layout.read(tmp_path / "out")}
    assert len(lowest) == 1, "containerd would unpack and store the base once an image"


def test_one_image_of_a_layout_is_whole(tmp_path: Path) -> None:
    base, one = layer(tmp_path, "base", "b"), layer(tmp_path, "one", "1")
    layout.write([Image(name="kit/a:1", layers=(base, one)), Image(name="kit/b:1", layers=(base,))], tmp_path / "all")
    layout.only(tmp_path / "all", "kit/a:1", tmp_path / "a")
    ((name, manifest),) = layout.read(tmp_path / "a")
    assert name == "docker.io/kit/a:1"
    for part in (manifest["config"], *manifest["layers"]):
        assert layout.blob(tmp_path / "a", part).stat().st_size == part["size"]
    with pytest.raises(KeyError):
        layout.only(tmp_path / "all", "kit/c:1", tmp_path / "c")


def test_the_content_label_changes_with_the_content_and_not_with_the_name(tmp_path: Path) -> None:
    one, two = layer(tmp_path, "one", "1"), layer(tmp_path, "two", "2")
    marks: list[str] = []
    for number, (name, tip) in enumerate((("kit/a:1", one), ("kit/b:2", one), ("kit/a:1", two))):
        layout.write([Image(name=name, layers=(tip,))], tmp_path / str(number))
        layout.write_content(tmp_path / str(number))
        marks.append((tmp_path / str(number) / "content").read_text())
    assert marks[0] == marks[1], "the engine's image would look stale though it is not"
    assert marks[0] != marks[2], "a stale image in the engine would pass for the new one"


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("cni-migration/probe:kit", "docker.io/cni-migration/probe:kit"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("quay.io/cilium/cilium:v1", "quay.io/cilium/cilium:v1"),
        ("localhost/x:1", "localhost/x:1"),
        ("host:5000/x:1", "host:5000/x:1"),
    ],
)
def test_an_image_has_the_name_that_the_kubelet_asks_for(name: str, whole: str) -> None:
    assert layout.canonical(name) == whole, "the kubelet would try to pull an image that is there"


@pytest.fixture
def kubeadm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubeadm of v9.9.9 that asks for the images named in the file beside it."""
    folder = tmp_path / "kubernetes" / "bin"
    folder.mkdir(parents=True)
    program = folder / "kubeadm"
    program.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v9.9.9 && exit\ncat {folder}/asked\n')
    program.chmod(0o755)
    (folder / "asked").write_text("registry.k8s.io/coredns/coredns:v1.12.1\nregistry.k8s.io/pause:9.9\n")
    monkeypatch.setenv("DEP_KUBERNETES", str(tmp_path / "kubernetes"))
    return folder / "asked"


def test_images_are_named_as_this_kubeadm_asks_for_them(kubeadm: Path) -> None:
    assert catalogue.kubeadm_names() == {
        "coredns": "registry.k8s.io/coredns/coredns:v1.12.1",
        "pause": "registry.k8s.io/pause:9.9",
    }


def test_an_image_that_kubeadm_asks_for_and_nobody_builds_is_an_error(kubeadm: Path, tmp_path: Path) -> None:
    kubeadm.write_text(kubeadm.read_text() + "registry.k8s.io/novelty:1\n")
    with pytest.raises(ValueError, match="novelty"):
        catalogue.images(tmp_path)


def test_the_nodes_pause_image_is_the_one_in_the_node(kubeadm: Path) -> None:
    assert kubeadm.exists()
    text = (
        'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "registry.k8s.io/pause:3.10"\n  x = 1\n'
    )
    assert '  sandbox_image = "registry.k8s.io/pause:9.9"\n  x = 1\n' in node.containerd_config(text)
    with pytest.raises(ValueError, match="sandbox_image"):
        node.containerd_config("version = 2\n")


def test_every_image_says_that_the_kit_made_it(tmp_path: Path) -> None:
    labels = catalogue.description(public=True)
    layout.write([Image(name="a:1", layers=(layer(tmp_path, "x", "x"),), config={"Labels": labels})], tmp_path / "out")
    ((_, manifest),) = layout.read(tmp_path / "out")
    config = json.loads(layout.blob(tmp_path / "out", manifest["config"]).read_text())["config"]
    assert "not that image" in config["Labels"]["org.opencontainers.image.description"]


def test_only_images_of_the_kits_own_name_are_no_stand_ins() -> None:
    tables = catalogue.tomllib.loads(catalogue.CATALOGUE.read_text())
    own = {key for key, table in tables.items() if not table.get("public", True)}
    assert own == {"cni-plugins", "probe", "hubble-page"}, "an image under a public name would pass for the public one"


def test_the_files_that_images_take_from_this_repo_are_executable() -> None:
    for name in ("iptables-wrapper", "restrict-oom-score-adj.sh"):
        assert (AIRGAP / "images" / "files" / name).stat().st_mode & 0o100
