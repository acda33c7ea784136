"""The verbs of `python3 airgap/images`."""

from __future__ import annotations

import os
from pathlib import Path

from images import catalogue, engine, layout, node


def main(arguments: list[str]) -> None:
    """Run one verb.

    cluster              the images of images.toml, as a layout in OUT
    node STORE           the node image, as a layout in OUT; STORE is the layer with the unpacked images
    only LAYOUT NAME     one image of another layout, as a layout in OUT
    load LAYOUT          hand the layout's images to the container engine

    `node` and `only` also write OUT/content: the image's label cni-migration.content, to compare with an engine's.
    """
    match arguments:
        case ["cluster"]:
            layout.write(catalogue.images(_work()), _out())
        case ["node", store]:
            layout.write([node.image(Path(store), _work())], _out())
            layout.write_content(_out())
        case ["only", folder, name]:
            layout.only(Path(folder), name, _out())
            layout.write_content(_out())
        case ["load", folder]:
            engine.load(Path(folder))
        case _:
            raise SystemExit(f"usage: python3 airgap/images VERB ...\n{main.__doc__}")


def _out() -> Path:
    return Path(os.environ["OUT"])


def _work() -> Path:
    """A folder on OUT's file system, so that a layer can be linked from it; whoever set OUT removes it."""
    work = _out() / "work"
    work.mkdir(exist_ok=True)
    return work
