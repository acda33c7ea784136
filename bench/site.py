"""This machine's site file with a measurement's own settings on top."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from settings import layers
from settings.errors import refusal
from settings.site_file import SiteTree


def laid(folder: Path, name: str, settings: Mapping[str, Any]) -> Mapping[str, str]:
    """The environment in which pulumi goes by such a file, NAME.yaml in `folder`. Raises SettingsError for what is
    wrong in this machine's own: once it is written anew nobody could see a key that is there twice."""
    own = layers.site()
    if isinstance(own, SiteTree) and own.mistakes:
        raise refusal(own.mistakes)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**own, **settings}))
    return {layers.SITE_VARIABLE: str(path)}


def with_strategy(folder: Path, strategy: str) -> str:
    """The path of this machine's site file with a strategy; a stack's own goes before it."""
    told = {"migration": {**layers.site().get("migration", {}), "strategy": strategy}}
    return laid(folder, "strategy", told)[layers.SITE_VARIABLE]


if __name__ == "__main__":
    print(with_strategy(Path(sys.argv[1]), sys.argv[2]))
