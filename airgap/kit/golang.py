"""The one thing that the kit cannot bring itself: a Go compiler."""

from __future__ import annotations

import re
import shutil
import subprocess

from kit.errors import KitError
from kit.paths import Cache
from kit.target import Target, folder, keys


def require_go(minimum: str, targets: list[Target], cache: Cache) -> None:
    """Raise KitError where something has to be compiled and Go is missing or older than `minimum` (as in 1.26.6)."""
    by_key = keys(targets)
    if not any(target.heavy and not folder(cache, target, by_key[target.name]).is_dir() for target in targets):
        return
    if shutil.which("go") is None:
        raise KitError(f"go is not on PATH; the kit compiles its tools and needs Go {minimum} or newer")
    text = subprocess.run(["go", "env", "GOVERSION"], check=True, text=True, stdout=subprocess.PIPE).stdout
    if _numbers(text) < _numbers(minimum):
        raise KitError(f"{text.strip()} is too old; the kit's tools need Go {minimum} or newer")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
