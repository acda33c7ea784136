"""Hands the images of a layout to the container engine."""

from __future__ import annotations

import io
import json
import subprocess
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
    # What had these names before has none now. Where no container runs on it, it only takes up space.
    unused = ["docker", "image", "prune", "--force", "--filter", f"label={layout.CONTENT}"]
    subprocess.run(unused, check=True, stdout=subprocess.DEVNULL)


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
