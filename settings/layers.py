"""Where settings come from: the site file and the stack's own configuration. The only reader of pulumi.Config."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pulumi

from settings.errors import SettingsError
from settings.reading import merge
from settings.site_file import read_yaml

PROJECT = "cni-migration"
SITE_VARIABLE = "CNI_MIGRATION_SITE"


def site() -> Mapping[str, Any]:
    """What the site file says, nothing where none is named; raises SettingsError where it cannot be read."""
    path = os.environ.get(SITE_VARIABLE)
    if not path:
        return {}
    try:
        return read_yaml(Path(path).read_text(encoding="utf-8"), SITE_VARIABLE)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{SITE_VARIABLE}={path} is not in UTF-8 ({error}); save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{SITE_VARIABLE}={path} cannot be read: {error}") from error


def stack_config() -> dict[str, Any]:
    """The stack's own keys as one tree: `cni-migration:cluster` and the like, and the namespace `migration`."""
    texts: dict[str, str] = {}
    for full_key in json.loads(os.environ.get("PULUMI_CONFIG", "{}")):
        namespace, _, key = str(full_key).partition(":")
        if namespace in (PROJECT, "migration"):
            texts[str(full_key)] = pulumi.Config(namespace).require(key)
    return tree_of(texts)


def tree_of(texts: Mapping[str, str]) -> dict[str, Any]:
    """The same tree from keys NAMESPACE:KEY with their values as text, in any order; other namespaces are left out."""
    tree: dict[str, Any] = {}
    below_migration: dict[str, Any] = {}
    for full_key, text in texts.items():
        namespace, _, key = full_key.partition(":")
        if namespace == PROJECT:
            tree[key] = _value(text)
        elif namespace == "migration":
            below_migration[key] = _value(text)
    # Both spellings may be there, in any order. What is no mapping stays as it is, to be reported.
    given: object = tree.get("migration") or {}
    if below_migration and isinstance(given, Mapping):
        tree["migration"] = merge(cast("Mapping[str, Any]", given), below_migration)
    return tree


def secret_keys() -> frozenset[str]:
    """The stack's keys, NAMESPACE:KEY, of which something was set with --secret. Their values are read as any other's,
    and whoever hands one to a resource says that it is a secret."""
    return frozenset(str(key) for key in json.loads(os.environ.get("PULUMI_CONFIG_SECRET_KEYS", "[]")))


def _value(text: str) -> object:
    """A structured value as such, anything else as the text it is."""
    try:
        return json.loads(text) if text.startswith(("{", "[")) else text
    except (ValueError, RecursionError):
        return text  # which is then reported as the wrong value that it is
