"""Says of each target whether it is built, and how big it is."""

from __future__ import annotations

from pathlib import Path

from kit.plan import Plan
from kit.plugins import Plugin
from kit.target import closure, folder, keys

MEGABYTE = 1_000_000


def report(plan: Plan) -> list[str]:
    """One line each for the machine's need, the plugins and every target of the kit."""
    lines = [f"need: {plan.need.mode}" + (f" ({', '.join(plan.need.missing)})" if plan.need.missing else "")]
    lines += [f"plugin {plugin.name} {plugin.version}: {_origin(plugin)}" for plugin in plan.plugins]
    targets = [target for target in closure(plan.graph, tuple(plan.graph)) if target.cached]
    by_key = keys(closure(plan.graph, tuple(plan.graph)))
    for target in targets:
        out = folder(plan.cache, target, by_key[target.name])
        if out.is_dir():
            lines.append(f"{target.name:28} built   {_size(out) / MEGABYTE:8.1f} MB  {out}")
        else:
            lines.append(f"{target.name:28} missing")
    return lines


def _origin(plugin: Plugin) -> str:
    if plugin.path is not None:
        return f"found at {plugin.path}"
    return "a stand-in of the kit's own" if plugin.name == "command" else "built by the kit"


def _size(path: Path) -> int:
    return sum(file.lstat().st_size for file in path.rglob("*"))
