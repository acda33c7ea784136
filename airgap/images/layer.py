"""Layers: tar files whose bytes depend on nothing but what is in them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

# Debian's root has links to /usr in their place.
LINKED = ("/bin/", "/sbin/", "/lib/", "/lib64/")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Content of one layer, by absolute path in the image. Everything belongs to root and is of the year 1970."""

    # What is executable on disk is in the image; `modes` says otherwise.
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    # Empty folders, with their modes.
    folders: Mapping[str, int] = field(default_factory=dict[str, int])
    modes: Mapping[str, int] = field(default_factory=dict[str, int])

    def write(self, path: Path) -> None:
        """Write the layer as an uncompressed tar file.

        Raises FileNotFoundError for a file that is not there, and ValueError for a path through one of Debian's links
        into /usr: a folder of that name in a layer would hide everything behind the link.
        """
        through = {name for name in (*self.files, *self.texts, *self.links, *self.folders) if name.startswith(LINKED)}
        if through:
            raise ValueError(f"name these below /usr: {sorted(through)}")
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
            for name in self._parents():
                archive.addfile(_entry(name, tarfile.DIRTYPE, self.folders.get(name, 0o755)))
            for name in sorted({*self.files, *self.texts, *self.links}):
                if name in self.links:
                    link = _entry(name, tarfile.SYMTYPE, 0o777)
                    link.linkname = self.links[name]
                    archive.addfile(link)
                elif name in self.texts:
                    text = self.texts[name].encode()
                    self._add(archive, name, io.BytesIO(text), len(text), 0o644)
                else:
                    source = self.files[name]
                    status = source.stat()
                    with source.open("rb") as content:
                        self._add(archive, name, content, status.st_size, 0o755 if status.st_mode & 0o100 else 0o644)

    def _add(
        self, archive: tarfile.TarFile, name: str, content: io.BufferedIOBase | io.BytesIO, size: int, mode: int
    ) -> None:
        entry = _entry(name, tarfile.REGTYPE, self.modes.get(name, mode))
        entry.size = size
        archive.addfile(entry, content)

    def _parents(self) -> list[str]:
        names = {*self.files, *self.texts, *self.links}
        parents = {str(parent) for name in (*names, *self.folders) for parent in PurePosixPath(name).parents}
        return sorted((parents | set(self.folders)) - {"/"})


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.type = kind
    entry.mode = mode
    return entry


def tree(source: Path, target: str) -> dict[str, Path]:
    """Every file below `source`, by its path in the image below `target`."""
    found = {f"{target}/{file.relative_to(source)}": file for file in sorted(source.rglob("*")) if file.is_file()}
    if not found:
        raise FileNotFoundError(f"{source} has no files")
    return found
