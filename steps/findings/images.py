"""The images that a rendered chart runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import yaml

# The parser in C is ten times as fast, and not in every build of PyYAML.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def images_of(manifests: str) -> list[str]:
    """Every different text of a key `image`, anywhere in the YAML documents of `helm template`, sorted. Raises
    yaml.YAMLError where they are none."""
    return sorted({image for document in yaml.load_all(manifests, Loader=LOADER) for image in _images(document)})


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in cast("dict[Any, Any]", value).items():
            if key == "image" and isinstance(inner, str):
                yield inner
            else:
                yield from _images(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _images(inner)
