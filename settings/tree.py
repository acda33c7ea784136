"""What may stand in a layer of settings at all: known keys, and values that JSON has. Pure: no Pulumi, no I/O.

What is wrong is reported once and left out, so that nothing read later is a consequence of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

# Below these keys anything goes: they are somebody else's settings (Helm values), checked by their owner.
OPEN_KEYS = frozenset({"cilium.values"})
# Below such a Helm key there are names of Kubernetes' or files, in which a dot is a dot.
FREE_NAMES = re.compile(r"(labels|annotations|selector|config|data|limits|requests)$", re.IGNORECASE)

Tree = Mapping[str, Any]


def shown(value: object) -> str:
    """The value as a message shows it: as it was written, and not by the page."""
    text = str(value) if type(value).__module__ == "datetime" else repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


@dataclass
class Layer:
    """The sound part of one layer. `paths` are the dotted keys that it sets."""

    source: str
    errors: list[str] = field(default_factory=list[str])
    paths: set[str] = field(default_factory=set[str])

    def sound(self, known: Tree, given: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
        """`given` without what is wrong; that goes to `errors`."""
        kept: dict[str, Any] = {}
        for key, value in given.items():
            path = f"{prefix}{key}"
            if not isinstance(key, str):
                self._not_text(path, key, f"; the keys are {_names(known, prefix)}")
            elif key not in known:
                self.errors.append(f"{path}: {self._unknown(key, path, value, known, prefix)}")
            elif not isinstance(known[key], Mapping):
                if not self._flawed(path, value):
                    kept[key] = value
                    self.paths.add(path)
            elif value is None or value == "":
                continue  # all keys below it are commented out: nothing is given
            elif not isinstance(value, Mapping):
                self.errors.append(f"{path}: {shown(value)} (in {self.source}) must be a mapping")
            elif path in OPEN_KEYS:
                self._check_open(path, cast(Tree, value), dots=False)
                kept[key] = value
            else:
                kept[key] = self.sound(cast(Tree, known[key]), cast("Mapping[Any, Any]", value), f"{path}.")
        return kept

    def _unknown(self, key: str, path: str, value: object, known: Tree, prefix: str) -> str:
        first = key.split(".")[0]
        if "." not in key or not isinstance(known.get(first), Mapping):
            return f"unknown key (in {self.source}); the keys are {_names(known, prefix)}"
        if self.source != "stack":
            return f"one key with dots (in {self.source}); nest it: {_nested(key, value)}"
        setting = (
            path.replace("migration.", "migration:", 1) if path.startswith("migration.") else f"cni-migration:{path}"
        )
        return (
            f"one key with dots (in {self.source}); remove it and set it with --path: "
            f"pulumi config set --path {setting} {value if isinstance(value, str | int | float) else '...'}"
        )

    def _not_text(self, path: str, key: object, keys: str = "") -> None:
        read = " (YAML reads on, yes and true so, or off, no and false)" if isinstance(key, bool) else ""
        self.errors.append(
            f"{path}: the key {shown(key)} (in {self.source}) is no text{read}; write it in quotes{keys}"
        )

    def _flawed(self, path: str, value: object) -> bool:
        """Whether the value is none that JSON has, which is how it travels on; then it is reported."""
        flaw = ""
        if isinstance(value, float) and not math.isfinite(value):
            flaw = "is no finite number; write one with digits"
        elif isinstance(value, str) and re.search("[\0\ud800-\udfff]", value):
            flaw = "holds what is no character; leave it out"
        elif value is not None and not isinstance(value, str | bool | int | float | list | Mapping):
            flaw = f"is a {type(value).__name__} to YAML, not text; write it in quotes"
        if flaw:
            self.errors.append(f"{path}: {shown(cast(object, value))} (in {self.source}) {flaw}")
        return bool(flaw)

    def _check_open(self, path: str, value: object, *, dots: bool) -> None:
        """Somebody else's settings, all the way down; `dots` is whether keys may have some."""
        if isinstance(value, Mapping):
            for key, below in cast("Mapping[object, object]", value).items():
                dotted = f"{path}.{key}"
                if not isinstance(key, str):
                    self._not_text(dotted, key)
                elif not dots and re.fullmatch(r"[\w-]+(\.[\w-]+)+", key):
                    self.errors.append(
                        f"{path}: {key!r} is one key with dots (in {self.source}), and Helm takes nested ones; "
                        f"write {_nested(key, below)}"
                    )
                else:
                    self._check_open(dotted, below, dots=dots or bool(FREE_NAMES.search(key)))
        elif isinstance(value, list):
            for index, item in enumerate(cast("list[object]", value)):
                self._check_open(f"{path}[{index}]", item, dots=True)  # Kubernetes' own objects
        else:
            self._flawed(path, value)


def _names(known: Tree, prefix: str) -> str:
    return ", ".join(prefix + name for name in sorted(known))


def _nested(key: str, value: object) -> str:
    """a.b as a: {b: value}."""
    parts = key.split(".")
    plain = str(value).lower() if isinstance(value, bool) else shown(value)
    return ": {".join(parts) + f": {plain}" + "}" * (len(parts) - 1)
