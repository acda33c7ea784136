"""steps/targets.toml against the scripts that it names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kit.paths import AIRGAP

STEPS = AIRGAP / "steps"
TARGETS: dict[str, Any] = tomllib.loads((STEPS / "targets.toml").read_text())
CATALOGUE: dict[str, Any] = tomllib.loads((AIRGAP / "images" / "images.toml").read_text())
each = pytest.mark.parametrize("name", TARGETS)


def scripts_of(name: str) -> list[Path]:
    """The target's script and every script beside it that one of them calls."""
    found = [AIRGAP / TARGETS[name][key] for key in ("script", "restore") if key in TARGETS[name]]
    for script in found:
        for called in re.findall(r"\$here/([a-z-]+\.sh)", script.read_text()):
            if STEPS / called not in found:
                found.append(STEPS / called)
    return found


@each
def test_a_target_depends_on_every_target_that_its_scripts_read(name: str) -> None:
    text = "".join(script.read_text() for script in scripts_of(name))
    read = {dep.lower().replace("_", "-") for dep in re.findall(r"\$\{?DEP_([A-Z_]+)", text)}
    assert read <= set(TARGETS[name].get("deps", ())), "the step would find the variable unset"


@each
def test_a_change_of_a_script_makes_its_target_anew(name: str) -> None:
    counted = {AIRGAP / path for path in TARGETS[name].get("inputs", ())}
    counted |= {AIRGAP / TARGETS[name][key] for key in ("script", "restore") if key in TARGETS[name]}
    assert set(scripts_of(name)) <= counted, "an edited helper would leave the old result in use"


@each
def test_a_target_of_the_engine_can_be_checked_and_put_back(name: str) -> None:
    table = TARGETS[name]
    there = {key for key in ("engine", "check", "restore") if table.get(key)}
    assert there in (set[str](), {"engine", "check", "restore"}), "an engine that lost the image would go unnoticed"


@each
def test_a_target_sees_the_pins_that_its_scripts_read(name: str) -> None:
    text = "".join(script.read_text() for script in scripts_of(name)) + TARGETS[name].get("check", "")
    read = {pin.partition("_")[0].lower() for pin in re.findall(r"\$PIN_([A-Z_]+)", text)}
    assert read <= set(TARGETS[name]["pins"]), "the step would find the variable unset"


def test_cluster_images_depends_on_every_target_that_the_catalogue_reads() -> None:
    used = {path.partition("/")[0] for table in CATALOGUE.values() for path in table.get("files", {}).values()}
    used |= {"rootfs"}
    assert used == set(TARGETS["cluster-images"]["deps"])


def test_every_script_is_executable_and_stops_at_the_first_error() -> None:
    for script in (*STEPS.glob("*.sh"), AIRGAP / "engine" / "start.sh", AIRGAP / "engine" / "stop.sh"):
        assert script.stat().st_mode & 0o100, f"{script.name} cannot be run by hand"
        assert "set -euo pipefail" in script.read_text(), f"{script.name} would go on after a failure"
