"""Finds out whether image registries are in reach, in 3 seconds at most."""

from __future__ import annotations

import os
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from kit.errors import KitError

# Those that the public images of this project come from; one that does not answer is enough to need the kit.
REGISTRIES = ("registry-1.docker.io", "quay.io", "registry.k8s.io")
SECONDS = 3.0
# The commands that the program and its tests run.
COMMANDS = ("pulumi", "uv", "kind", "kubectl", "helm", "docker")
Mode = Literal["all", "missing", "none"]


@dataclass(frozen=True, kw_only=True)
class Need:
    """What the kit has to bring: everything, only the commands in `missing`, or nothing."""

    mode: Mode
    missing: tuple[str, ...]


def answers(registry: str, seconds: float = SECONDS) -> bool:
    """Whether a registry's API is there; that it asks for a login (401) is an answer."""
    try:
        with urllib.request.urlopen(f"https://{registry}/v2/", timeout=seconds) as response:
            return response.status == 200
    except urllib.error.HTTPError as error:
        return error.code == 401
    except (OSError, ValueError):
        return False


def in_reach(ask: Callable[[str], bool] = answers, seconds: float = SECONDS) -> bool:
    """Whether all registries answer within `seconds`, asked side by side."""
    found: dict[str, bool] = {}

    def look(name: str) -> None:
        found[name] = ask(name)

    # Threads that end with the process: the time-out of a name's look-up is not ours to set.
    threads = [threading.Thread(target=look, args=(name,), daemon=True) for name in REGISTRIES]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return all(found.get(name, False) for name in REGISTRIES)


def need(
    environment: Mapping[str, str] = os.environ,
    reach: Callable[[], bool] = in_reach,
    which: Callable[[str], str | None] = shutil.which,
) -> Need:
    """What the kit has to bring here. KIT=always and KIT=never overrule the probe. Raises KitError for another KIT."""
    wish = environment.get("KIT", "auto")
    if wish not in ("always", "never", "auto"):
        raise KitError(f"KIT={wish}: it can be always, never or auto")
    if wish == "never":
        return Need(mode="none", missing=())
    if wish == "always" or not reach():
        return Need(mode="all", missing=COMMANDS)
    missing = tuple(command for command in COMMANDS if which(command) is None)
    return Need(mode="missing" if missing else "none", missing=missing)
