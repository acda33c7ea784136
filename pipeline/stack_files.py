"""What the stacks' own files say, read without a backend, a passphrase and a cluster: as a reviewer has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from settings import Settings, parse, site, tree_of
from settings.errors import SettingsError
from settings.site_file import read_yaml

__all__ = ["Settings", "SettingsError", "settings_of", "stacks"]

_PREFIX, _SUFFIX = "Pulumi.", ".yaml"


def stacks(folder: Path = Path()) -> list[str]:
    """The stacks that have a file in the program's folder, by name."""
    found = (path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX) for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"))
    return sorted(name for name in found if name)


def settings_of(stack: str, folder: Path = Path()) -> Settings:
    """The settings of a stack, laid over the site file and the defaults. A secret counts as not set, since nobody can
    read it here. Raises SettingsError with every mistake, and where there is no such file."""
    path = folder / f"{_PREFIX}{stack}{_SUFFIX}"
    try:
        given = read_yaml(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError as error:
        known = ", ".join(stacks(folder)) or "none"
        raise SettingsError(f"there is no stack {stack!r}: no file {path.name}; the stacks are {known}") from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}") from error
    config: object = given.get("config") or {}
    if not isinstance(config, Mapping):
        raise SettingsError(f"{path.name}: config must be a mapping of settings")
    readable = {str(key): _open(value) for key, value in cast("Mapping[object, object]", config).items()}
    return parse(tree_of({key: _text(value) for key, value in readable.items() if value is not None}), site())


def _open(value: object) -> object:
    """The value without what is encrypted; None where nothing is left."""
    if isinstance(value, Mapping):
        tree = cast("Mapping[str, object]", value)
        if set(tree) == {"secure"}:
            return None
        kept = {key: _open(below) for key, below in tree.items()}
        return {key: below for key, below in kept.items() if below is not None}
    return value


def _text(value: object) -> str:
    """As Pulumi hands it to the program: structured values as JSON, others as the text they are."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, Mapping | list) else str(cast(Any, value))
