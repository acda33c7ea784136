"""The environment that plain pulumi, kind, kubectl and helm commands need to use the kit's tools."""

from __future__ import annotations

import shlex
from pathlib import Path

from kit.errors import KitError
from kit.paths import REPO
from kit.plan import Plan


def exports(plan: Plan) -> list[str]:
    """Lines for a POSIX shell. Raises KitError where the kit is needed and not built."""
    if plan.need.mode == "none":
        return ["# The air-gapped kit is not needed here."]
    path: list[Path] = []
    variables: dict[str, str] = {}
    if plan.toolchain:
        path.append(_built(plan, "toolchain") / "bin")
    if "pulumi" in plan.need.missing:
        # The kit's language host is too old to see the virtual environment that Pulumi.yaml names.
        path.insert(0, REPO / ".venv" / "bin")
        variables["PULUMI_SKIP_UPDATE_CHECK"] = "true"
    if plan.need.mode == "all":
        for plugin in plan.plugins:
            if plugin.path is None:
                _built(plan, plugin.file)
        home = plan.pulumi_home()
        assert home is not None
        if any(plugin.by_hand for plugin in plan.plugins):
            path.append(home / "bin")
        variables["PULUMI_HOME"] = str(home)
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        # uv would download an interpreter from a host that is not a package registry.
        variables["UV_PYTHON_DOWNLOADS"] = "never"
        # A proxy before the registries has its certificate in the system's store, and uv looks into one of its own.
        variables["UV_SYSTEM_CERTS"] = "true"
        variables["CNI_MIGRATION_SITE"] = str(plan.folders("site")["site"] / "site.yaml")
    prefix = ":".join(shlex.quote(str(folder)) for folder in path)
    lines = [f"export PATH={prefix}:$PATH"] if prefix else []
    return lines + [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def _built(plan: Plan, name: str) -> Path:
    folder = plan.folders(name)[name]
    if not folder.is_dir():
        raise KitError(f"{name} is not built: `make toolchain` builds it")
    return folder
