"""Which resource plugins the engine gets: the user's own where they are, the kit's elsewhere.

The engine takes a plugin from PATH, else from PULUMI_HOME/plugins at exactly the version that the SDK asks for. The
kit has a PULUMI_HOME of its own, so that the user's ~/.pulumi is read and never written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.errors import KitError
from kit.paths import Cache
from kit.pins import Pins

NAMES = ("kubernetes", "command")
# The command plugin to use, named by hand.
BY_HAND = "KIT_COMMAND_PLUGIN"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A resource plugin, and where it was found; `path` is None where the kit has to build it."""

    name: str
    version: str
    path: Path | None = None
    by_hand: bool = False

    @property
    def file(self) -> str:
        return f"pulumi-resource-{self.name}"

    @property
    def folder(self) -> str:
        return f"resource-{self.name}-v{self.version}"


def find(pins: Pins, cache: Cache, environment: Mapping[str, str] = os.environ) -> list[Plugin]:
    """Each plugin that the program needs. Raises KitError where the one named by hand is not there."""
    return [_find(Plugin(name=name, version=pins[f"PLUGINS_{name.upper()}"]), cache, environment) for name in NAMES]


def _find(plugin: Plugin, cache: Cache, environment: Mapping[str, str]) -> Plugin:
    by_hand = environment.get(BY_HAND) if plugin.name == "command" else None
    if by_hand:
        if not os.access(by_hand, os.X_OK) or Path(by_hand).is_dir():
            raise KitError(f"{BY_HAND}={by_hand} is not an executable file")
        return Plugin(name=plugin.name, version=plugin.version, path=Path(by_hand).resolve(), by_hand=True)
    own = cache.root.resolve()
    for entry in environment.get("PATH", "").split(os.pathsep):
        found = shutil.which(plugin.file, path=entry) if entry else None
        if found and own not in Path(found).resolve().parents:
            return Plugin(name=plugin.name, version=plugin.version, path=Path(found).resolve())
    home = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi").resolve()
    if own in home.parents:
        home = Path.home() / ".pulumi"
    installed = home / "plugins" / plugin.folder / plugin.file
    if installed.is_file() and not installed.parent.with_name(plugin.folder + ".partial").exists():
        return Plugin(name=plugin.name, version=plugin.version, path=installed)
    return plugin


def home(plugins: list[Plugin], built: Mapping[str, Path], cache: Cache) -> Path:
    """The kit's PULUMI_HOME with these plugins in it. `built` are the folders of those that the kit has built."""
    paths = {plugin.name: plugin.path or built[plugin.name] / "bin" / plugin.file for plugin in plugins}
    key = hashlib.sha256(repr(sorted(paths.items())).encode()).hexdigest()[:16]
    home = cache.root / f"pulumi-home-{key}"
    for plugin in plugins:
        _link(home / "plugins" / plugin.folder / plugin.file, paths[plugin.name])
        if plugin.by_hand:
            # On PATH it comes before any other.
            _link(home / "bin" / plugin.file, paths[plugin.name])
    return home


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.symlink_to(target)
    fresh.replace(link)
