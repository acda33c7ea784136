"""Hands the images of a layout to the container engine."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from images import layout


def load(folder: Path) -> None:
    """Load every image of the layout. Raises CalledProcessError where the engine refuses.

    Engines before Docker 25 read no OCI layout, so it is put in the older form of `docker save` on the way, without
    a copy on disk.
    """
    images = layout.read(folder)
    before = {name: _id(name) for name, _ in images}
    process = subprocess.Popen(["docker", "load"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    broken = False
    try:
        with process.stdin, tarfile.open(fileobj=process.stdin, mode="w|") as archive:
            _write(archive, folder, images)
    except BrokenPipeError:
        broken = True
    code = process.wait()
    if code or broken:
        raise subprocess.CalledProcessError(code, "docker load")
    for name, old in before.items():
        if old and old != _id(name):
            _discard(name, old)


def _id(name: str) -> str:
    """The id of the image that the engine has under this name; empty where it has none."""
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", name]
    found = subprocess.run(command, check=False, text=True, capture_output=True)
    return found.stdout.strip()


def _discard(name: str, old: str) -> None:
    """Delete the image that had the name before. One that a container still runs on stays, and that is said."""
    gone = subprocess.run(["docker", "image", "rm", old], check=False, text=True, capture_output=True)
    if gone.returncode:
        print(f"the {name} of before stays in the engine: {gone.stderr.strip()}", file=sys.stderr)


def _write(archive: tarfile.TarFile, folder: Path, images: list[tuple[str, dict[str, Any]]]) -> None:
    entries: list[dict[str, Any]] = []
    written: set[Path] = set()
    for name, manifest in images:
        files = [layout.blob(folder, part) for part in (manifest["config"], *manifest["layers"])]
        for file in files:
            if file not in written:
                written.add(file)
                archive.add(file, arcname=file.name)
        entries.append({"Config": files[0].name, "RepoTags": [name], "Layers": [file.name for file in files[1:]]})
    text = json.dumps(entries).encode()
    entry = tarfile.TarInfo("manifest.json")
    entry.size = len(text)
    archive.addfile(entry, io.BytesIO(text))
