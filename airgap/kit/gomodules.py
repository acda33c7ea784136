"""Builds Go tools from modules of the kit's own, which require them at the pinned versions.

`go install` refuses modules with replace directives, so each tool has a go.mod here, and a go.sum with the checksums.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from kit.errors import KitError
from kit.paths import AIRGAP
from kit.pins import Tool

MODULES = AIRGAP / "modules"
GO_ENV = {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
# The linker drops the debugging information anyway ("-s -w"); not to make it saves an eighth of the compile time.
BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-gcflags=all=-dwarf=false")
LINK_FLAGS = "-s -w"
STATIC = '-extldflags "-static"'


def pins_of(tool: Tool) -> dict[str, str]:
    """What of the tool's pins, and of how it is built, decides the binaries."""
    facts = {name: value for name, value in dataclasses.asdict(tool).items() if name != "weight"}
    return {"TOOL": json.dumps(facts, sort_keys=True), "GO": f"{GO_ENV} {BUILD_FLAGS} {LINK_FLAGS} {STATIC}"}


def go_mod(tool: Tool, go_version: str) -> str:
    """The text of the tool's go.mod."""
    requires = {tool.module: tool.version, **tool.requires}
    lines = [f"module cni-migration/airgap/{tool.name}", "", f"go {go_version}", ""]
    lines += _block("require", [f"{module} {version}" for module, version in sorted(requires.items())])
    if tool.replaces:
        replaces = [f"{module} => {module} {version}" for module, version in sorted(tool.replaces.items())]
        lines += ["", *_block("replace", replaces)]
    return "\n".join(lines) + "\n"


def build(tool: Tool, out: Path) -> None:
    """Build the tool's binaries into out/bin and copy its files. Raises CalledProcessError where Go fails."""
    work = out / "build"
    env = _env(tool)
    _stage(tool, work, env)
    (out / "bin").mkdir()
    for tags, names in _by_tags(tool).items():
        link = " ".join([LINK_FLAGS, *([STATIC] if tool.cgo else []), *(f"-X {k}={v}" for k, v in tool.stamp.items())])
        # One binary gets its name right away; several go to a folder, under the names of their packages.
        target = f"{out}/bin/{names[0]}" if len(names) == 1 else f"{out}/bin/"
        packages = [_package(tool, name) for name in names]
        _go(["build", *BUILD_FLAGS, *tags_flag(tags), "-ldflags", link, "-o", target, *packages], work, env)
        if len(names) > 1:
            for name in names:
                (out / "bin" / tool.binaries[name].rsplit("/", 1)[-1]).rename(out / "bin" / name)
    for file in tool.files:
        _copy(_module_folder(file.module, work, env) / file.path, out / file.to)
    shutil.rmtree(work)


def lock(tool: Tool, go_version: str, work: Path) -> None:
    """Write the tool's go.mod and go.sum anew; `work` is an empty folder."""
    home = MODULES / tool.name
    home.mkdir(parents=True, exist_ok=True)
    (home / "go.mod").write_text(go_mod(tool, go_version))
    (home / "go.sum").unlink(missing_ok=True)
    env = _env(tool)
    _stage(tool, work, env, mode="-mod=mod")
    for tags, names in _by_tags(tool).items():
        _go(["list", "-mod=mod", "-deps", *tags_flag(tags), *(_package(tool, n) for n in names)], work, env, quiet=True)
    found = requirements((work / "go.mod").read_text())
    if found != requirements(go_mod(tool, go_version)):
        raise KitError(f"Go wants other versions in {tool.name}'s go.mod than pins.toml has: {found}")
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(work / name, home / name)


def requirements(text: str) -> dict[str, str]:
    """What a go.mod asks for by itself: its Go version, direct requirements and replacements.

    The indirect ones follow from these; Go lists them where the main package is in the module itself.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        words = line.removeprefix("require ").split()
        if "=>" in words:
            found[f"{words[-4]} =>"] = " ".join(words[-2:])
        elif len(words) == 2 and words[0] != "module" and words[1] != "(":
            found[words[0]] = words[1]
    return found


def tags_flag(tags: str) -> list[str]:
    """The arguments that set build tags."""
    return ["-tags", tags] if tags else []


def _env(tool: Tool) -> dict[str, str]:
    return {**os.environ, **GO_ENV, "CGO_ENABLED": "1" if tool.cgo else "0"}


def _block(keyword: str, lines: list[str]) -> list[str]:
    return [f"{keyword} {lines[0]}"] if len(lines) == 1 else [f"{keyword} (", *(f"\t{line}" for line in lines), ")"]


def _by_tags(tool: Tool) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in tool.binaries:
        groups.setdefault(tool.tags.get(name, ""), []).append(name)
    return groups


def _package(tool: Tool, name: str) -> str:
    if tool.own_main:
        return "."
    return f"{tool.module}/{tool.binaries[name]}".rstrip("/")


def _stage(tool: Tool, work: Path, env: Mapping[str, str], mode: str = "-mod=readonly") -> None:
    """A copy of the tool's module, with what its main package embeds beside it."""
    shutil.copytree(MODULES / tool.name, work, dirs_exist_ok=True)
    if not tool.embed:
        return
    _go(["mod", "download", tool.module], work, env)
    source = _module_folder(tool.module, work, env, mode)
    for path in tool.embed:
        content = json.loads((source / path).read_text())
        if Path(path).name == "schema.json":
            # The module's own generator fills it in at release.
            content["version"] = tool.embed_version
        (work / Path(path).name).write_text(json.dumps(content, separators=(",", ":")))


def _module_folder(module: str, work: Path, env: Mapping[str, str], mode: str = "-mod=readonly") -> Path:
    command = ["go", "list", mode, "-m", "-f", "{{.Dir}}", module]
    result = subprocess.run(command, cwd=work, env=env, check=True, text=True, stdout=subprocess.PIPE)
    return Path(result.stdout.strip())


def _go(arguments: list[str], work: Path, env: Mapping[str, str], quiet: bool = False) -> None:
    subprocess.run(["go", *arguments], cwd=work, env=env, check=True, stdout=subprocess.DEVNULL if quiet else None)


def _copy(source: Path, target: Path) -> None:
    """Copy without the module cache's write protection; what begins like a script becomes executable."""
    for file in sorted(source.rglob("*")) if source.is_dir() else [source]:
        if file.is_dir():
            continue
        to = target / file.relative_to(source) if source.is_dir() else target
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
        to.chmod(0o755 if to.read_bytes()[:2] == b"#!" else 0o644)
