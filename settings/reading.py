"""Reads a tree of settings against its defaults, and collects every mistake instead of stopping at the first.

Pure: no Pulumi, no I/O. Unknown keys are mistakes, named with the keys that exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from settings.tree import Layer, Tree, shown

# No 010, +1, 1_000 or other scripts' digits, and no more digits than any setting could have.
WHOLE = r"-?(?:0|[1-9][0-9]{0,17})"


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
        self._defaults = defaults
        self._tree: dict[str, Any] = dict(defaults)
        self._sources: dict[str, str] = {}
        self._refused: set[str] = set()
        known = {**defaults, **dict.fromkeys(extra_keys, "")}
        for source, given in layers:
            layer = Layer(source)
            self._tree = merge(self._tree, layer.sound(known, given))
            self._sources.update(dict.fromkeys(layer.paths, source))
            self.errors += layer.errors

    def given(self, path: str) -> object:
        """Whatever is there."""
        return _look(self._tree, path)

    def where(self, path: str) -> str:
        """The layer that a value came from, as the end of a sentence; nothing for a default."""
        return f" (in {self._sources[path]})" if path in self._sources else ""

    def refuse(self, path: str, said: str) -> None:
        """A mistake in the value of `path`."""
        self._refused.add(path)
        self.errors.append(f"{path}: {said}{self.where(path)}")

    def sound(self, *paths: str) -> bool:
        """Whether none of them was refused: what is asked of a refused value would be refused as a consequence."""
        return self._refused.isdisjoint(paths)

    def text(self, path: str, empty: str = "", example: str = "") -> str:
        """Text that is not empty, or `empty` in its place where that is given."""
        value = self.given(path)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if empty and value in ("", None):
            return empty
        such = f', such as "{example}"' if example else ""
        quotes = f"; write it in quotes{such}" if isinstance(value, int | float) else ""
        self.refuse(path, f"{shown(value)} must be text that is not empty{quotes}")
        return ""

    def choice(self, path: str, allowed: Sequence[str]) -> str:
        """One of `allowed`."""
        value = self.given(path)
        if value in allowed:
            return str(value)
        found = "is not set" if value in (None, "") else f"{shown(value)} is unknown"
        self.refuse(path, f"{found}; set it to one of: {', '.join(allowed)}")
        return allowed[0]

    def integer(self, path: str, least: int, most: int) -> int:
        """A whole number from `least` to `most`; text that spells one counts, since `pulumi config set` writes text."""
        value = self.given(path)
        if isinstance(value, str) and re.fullmatch(WHOLE, value):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.refuse(path, f"{shown(value)} must be a whole number from {least} to {most}{_zero(value)}")
        return cast(int, _look(self._defaults, path))

    def number(self, path: str, least: float, most: float) -> float:
        """A number from `least` to `most`, or the text of one."""
        value = self.given(path)
        if isinstance(value, str) and re.fullmatch(rf"{WHOLE}(\.[0-9]{{1,15}})?", value):
            value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        self.refuse(path, f"{shown(value)} must be a number from {least:g} to {most:g}{_zero(value)}")
        return float(cast(float, _look(self._defaults, path)))

    def boolean(self, path: str) -> bool:
        """true or false, or the text of one."""
        value = self.given(path)
        if value is True or value == "true":
            return True
        if value is not False and value != "false":
            self.refuse(path, f"{shown(value)} must be true or false")
        return False

    def texts(self, path: str) -> list[str]:
        """A list of texts, empty where none is given."""
        value = self.given(path)
        items = cast(Sequence[object], value) if isinstance(value, list) else None
        if items is not None and all(isinstance(item, str) and item for item in items):
            return [str(item) for item in items]
        self.refuse(path, f"{shown(cast(object, value))} must be a list of names")
        return []

    def pattern(self, path: str, regex: str, remedy: str, example: str = "") -> str:
        """Text that matches `regex` as a whole."""
        value = self.text(path, example=example)
        if value and not re.fullmatch(regex, value):
            self.refuse(path, f"{shown(value)} is refused: {remedy}")
        return value

    def match(self, path: str, regex: str, remedy: str) -> str:
        """The first group of `regex` found anywhere in the text."""
        value = self.text(path)
        found = re.search(regex, value)
        if value and not found:
            self.refuse(path, f"{shown(value)}: {remedy}")
        return found.group(1) if found else ""

    def mapping(self, path: str) -> Tree:
        """A mapping, empty where the key is not a mapping (which is a mistake already reported)."""
        value = self.given(path)
        return cast(Tree, value) if isinstance(value, Mapping) else {}


def _look(tree: Tree, path: str) -> object:
    node: Any = tree
    for part in path.split("."):
        node = cast(Tree, node).get(part) if isinstance(node, Mapping) else None
    return node


def _zero(value: object) -> str:
    """Why 010 is no number here: YAML 1.1 reads eight, people ten."""
    if not isinstance(value, str):
        return ""
    leading = re.fullmatch(r"-?0[0-9]+(\.[0-9]+)?", value)
    return f", without leading zeros, which YAML reads as octal; write {value.lstrip('-0') or 0}" if leading else ""
