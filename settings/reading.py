"""Reads a tree of settings against its defaults, and collects every mistake instead of stopping at the first.

Pure: no Pulumi, no I/O. Unknown keys are mistakes, named with the keys that exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

# Below these keys anything goes: they are somebody else's settings (Helm values), checked by their owner.
OPEN_KEYS = frozenset({"cilium.values"})

Tree = Mapping[str, Any]


def merge(base: Tree, over: Tree) -> dict[str, Any]:
    """`over` laid on `base`: mappings are merged key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(cast(Tree, old), cast(Tree, value)) if both else value
    return merged


class Reader:
    """One typed look at a dotted key each; what is wrong with it goes to `errors`, and reading goes on."""

    def __init__(self, defaults: Tree, layers: Sequence[tuple[str, Tree]], extra_keys: Sequence[str] = ()) -> None:
        self.errors: list[str] = []
        self._tree: dict[str, Any] = dict(defaults)
        known = {**defaults, **dict.fromkeys(extra_keys, "")}
        for source, layer in layers:
            self._check_keys(source, known, layer, "")
            self._tree = merge(self._tree, layer)

    def _check_keys(self, source: str, known: Tree, given: Tree, prefix: str) -> None:
        for key, value in given.items():
            path = prefix + key
            if key not in known:
                names = ", ".join(prefix + name for name in sorted(known))
                self.errors.append(f"{path}: unknown key (in {source}); the keys are {names}")
            elif isinstance(known[key], Mapping):
                if not isinstance(value, Mapping):
                    self.errors.append(f"{path}: {value!r} (in {source}) must be a mapping")
                elif path not in OPEN_KEYS:
                    self._check_keys(source, cast(Tree, known[key]), cast(Tree, value), f"{path}.")

    def _get(self, path: str) -> object:
        node: object = self._tree
        for part in path.split("."):
            node = cast(Tree, node).get(part) if isinstance(node, Mapping) else None
        return node

    def text(self, path: str, empty: str = "") -> str:
        """Text that is not empty, or `empty` in its place where that is given."""
        value = self._get(path)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if empty and value in ("", None):
            return empty
        self.errors.append(f"{path}: {value!r} must be text that is not empty")
        return ""

    def choice(self, path: str, allowed: Sequence[str]) -> str:
        """One of `allowed`."""
        value = self._get(path)
        if value in allowed:
            return str(value)
        found = "is not set" if value in (None, "") else f"{value!r} is unknown"
        self.errors.append(f"{path}: {found}; set it to one of: {', '.join(allowed)}")
        return allowed[0]

    def integer(self, path: str, least: int, most: int) -> int:
        """A whole number from `least` to `most`; text that spells one counts, since `pulumi config set` writes text."""
        value = self._get(path)
        if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.errors.append(f"{path}: {value!r} must be a whole number from {least} to {most}")
        return least

    def number(self, path: str, least: float, most: float) -> float:
        """A number from `least` to `most`, or the text of one."""
        value = self._get(path)
        if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
            value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        self.errors.append(f"{path}: {value!r} must be a number from {least:g} to {most:g}")
        return least

    def boolean(self, path: str) -> bool:
        """true or false, or the text of one."""
        value = self._get(path)
        if value in (True, "true"):
            return True
        if value not in (False, "false"):
            self.errors.append(f"{path}: {value!r} must be true or false")
        return False

    def texts(self, path: str) -> list[str]:
        """A list of texts, empty where none is given."""
        value = self._get(path)
        items = cast(Sequence[object], value) if isinstance(value, list) else None
        if items is not None and all(isinstance(item, str) and item for item in items):
            return [str(item) for item in items]
        self.errors.append(f"{path}: {value!r} must be a list of names")
        return []

    def pattern(self, path: str, regex: str, remedy: str) -> str:
        """Text that matches `regex` as a whole."""
        value = self.text(path)
        if value and not re.fullmatch(regex, value):
            self.errors.append(f"{path}: {value!r} is refused: {remedy}")
        return value

    def match(self, path: str, regex: str, remedy: str) -> str:
        """The first group of `regex` found anywhere in the text."""
        value = self._get(path)
        found = re.search(regex, value) if isinstance(value, str) else None
        if found:
            return found.group(1)
        self.errors.append(f"{path}: {value!r}: {remedy}")
        return ""

    def mapping(self, path: str) -> Tree:
        """A mapping, empty where the key is not a mapping (which is a mistake already reported)."""
        value = self._get(path)
        return cast(Tree, value) if isinstance(value, Mapping) else {}
