"""pins.toml is the only place with versions, and what follows from it agrees with it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from kit import gomodules
from kit.errors import KitError
from kit.paths import AIRGAP, REPO
from kit.pins import PINS, load

TOOLS = sorted(load().tools)


@pytest.mark.parametrize("name", TOOLS)
def test_go_mod_asks_for_what_the_pins_say(name: str) -> None:
    pins = load()
    locked = gomodules.requirements((gomodules.MODULES / name / "go.mod").read_text())
    wanted = gomodules.requirements(gomodules.go_mod(pins.tools[name], pins["GO_MINIMUM"]))
    assert locked == wanted, f"the build would not use the pinned versions: run `python3 airgap/kit lock {name}`"


@pytest.mark.parametrize("name", TOOLS)
def test_go_sum_has_the_checksum_of_the_tool_and_of_what_it_requires_beside_it(name: str) -> None:
    tool = load().tools[name]
    sums = (gomodules.MODULES / name / "go.sum").read_text().splitlines()
    for module, version in {tool.module: tool.version, **tool.requires}.items():
        assert any(line.startswith(f"{module} {version} h1:") for line in sums), f"{module} would not be verified"


def test_every_module_folder_belongs_to_a_tool() -> None:
    assert sorted(path.name for path in gomodules.MODULES.iterdir()) == TOOLS, "a tool that nobody builds is left over"


def test_kubernetes_replaces_each_staging_module_once_at_the_version_of_its_minor() -> None:
    tool = load().tools["kubernetes"]
    assert len(tool.replaces) == 31
    assert set(tool.replaces.values()) == {tool.version.replace("v1.", "v0.")}, "kubelet and client would differ"
    stamped = tool.stamp["k8s.io/component-base/version.gitMinor"]
    assert tool.version.split(".")[1] == stamped, "kubectl version would report another minor version than it is"


def test_a_go_mod_is_parsed_whole() -> None:
    text = (
        "module m\n\ngo 1.26\n\nrequire a.b/c v1\n\nrequire (\n\td.e/f v2\n\tg.h/i v3 // indirect\n)\n\n"
        "replace j => j v4\n\nreplace (\n\tk => k v5\n)\n"
    )
    found = gomodules.requirements(text)
    assert found == {"go": "1.26", "a.b/c": "v1", "d.e/f": "v2", "j =>": "j v4", "k =>": "k v5"}


def test_the_plugins_are_those_that_the_python_sdks_ask_for() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    pins = load()
    for name in ("kubernetes", "command"):
        wanted = f"pulumi-{name}=={pins[f'PLUGINS_{name.upper()}']}"
        assert wanted in project["dependencies"], f"the engine would look for another version of the {name} plugin"


def test_the_embedded_version_of_the_kubernetes_plugin_is_the_plugin_s() -> None:
    pins = load()
    tool = pins.tools["pulumi-resource-kubernetes"]
    assert {tool.embed_version, *tool.stamp.values()} == {pins["PLUGINS_KUBERNETES"]}


def test_image_names_carry_the_tools_versions() -> None:
    pins = load()
    for image, tool in (
        ("NODE", "kubernetes"),
        ("CILIUM", "cilium"),
        ("FLANNEL", "flanneld"),
        ("KUBE_PROXY", "kubernetes"),
    ):
        assert pins.tools[tool].version in pins[f"IMAGES_{image}"], f"{image} would not change its name with {tool}"


def test_a_text_that_names_an_unknown_version_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pins.toml"
    path.write_text(PINS.read_text().replace("cilium:{cilium}", "cilium:{celium}"))
    with pytest.raises(KitError, match="celium"):
        load(path)


def test_versions_stand_nowhere_else_in_the_kit() -> None:
    versions = {tool.version for tool in load().tools.values()} | {load()["UV_VERSION"]}
    for path in [*(AIRGAP / "kit").glob("*.py"), *(AIRGAP / "steps").glob("*"), AIRGAP / "README.md"]:
        text = path.read_text()
        found = [version for version in versions if re.search(rf"(?<![\w.]){re.escape(version)}(?![\w.])", text)]
        assert not found, f"{path.name} names {found}, which a change of pins.toml would miss"
