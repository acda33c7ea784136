"""What this machine needs from the kit, and where it is or will be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kit import graph, pins, plugins, probe, target
from kit.paths import Cache
from kit.pins import Pins
from kit.plugins import Plugin
from kit.probe import Need
from kit.target import Target


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The answer for one machine, at one moment."""

    cache: Cache
    pins: Pins
    need: Need
    # Empty where the engine can download its plugins.
    plugins: tuple[Plugin, ...]
    graph: Mapping[str, Target]

    @property
    def toolchain(self) -> tuple[str, ...]:
        """The targets that are the tools."""
        if not self.graph["toolchain"].deps:
            return ()
        return ("toolchain", *(plugin.file for plugin in self.plugins if plugin.path is None))

    @property
    def images(self) -> tuple[str, ...]:
        """The targets that are the engine and, where no registry is in reach, the images."""
        if self.need.mode == "all":
            return ("site", *graph.images(self.pins))
        return (graph.steps.ENGINE,) if "docker" in self.need.missing else ()

    def folders(self, *names: str) -> dict[str, Path]:
        """Where the named targets' outputs are once they are built."""
        needed = target.closure(self.graph, names)
        by_key = target.keys(needed)
        return {name: target.folder(self.cache, self.graph[name], by_key[name]) for name in names}

    def pulumi_home(self) -> Path | None:
        """The kit's PULUMI_HOME, made here where it is not there yet; None where the user's serves."""
        if not self.plugins:
            return None
        own = [plugin for plugin in self.plugins if plugin.path is None]
        built = self.folders(*(plugin.file for plugin in own))
        return plugins.home(list(self.plugins), {plugin.name: built[plugin.file] for plugin in own}, self.cache)


def make() -> Plan:
    """Look at the machine. Takes 3 seconds at most."""
    cache = Cache.of_user()
    known = pins.load()
    need = probe.need()
    commands = tuple(graph.LINKS) if need.mode == "all" else need.missing
    return Plan(
        cache=cache,
        pins=known,
        need=need,
        plugins=tuple(plugins.find(known, cache)) if need.mode == "all" else (),
        graph={**graph.tools(known, commands), **graph.images(known)},
    )
