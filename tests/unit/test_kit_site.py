"""The site file and the environment."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

import settings
from kit import graph, site
from kit.environment import exports
from kit.errors import KitError
from kit.paths import REPO, Cache
from kit.pins import load
from kit.plan import Plan
from kit.plugins import Plugin
from kit.probe import COMMANDS, Need

PINS = load()
CILIUM = Path("/cache/out/cilium-1")


def plan(cache: Cache, need: Need, *plugins: Plugin) -> Plan:
    commands = tuple(graph.LINKS) if need.mode == "all" else need.missing
    return Plan(cache=cache, pins=PINS, need=need, plugins=plugins, graph=graph.tools(PINS, commands))


def build(made: Plan, *names: str) -> dict[str, Path]:
    folders = made.folders(*names)
    for folder in folders.values():
        (folder / "bin").mkdir(parents=True)
    return folders


@pytest.mark.parametrize("cni", ["flannel", "cilium"])
def test_the_program_accepts_the_site_file(tmp_path: Path, cni: str) -> None:
    site.write(PINS.common, CILIUM, tmp_path / "site.yaml")
    found = settings.parse({"cni": cni}, yaml.safe_load((tmp_path / "site.yaml").read_text()))
    assert found.cluster.node_image == PINS["IMAGES_NODE"], "kind would try to pull its public node image"
    assert found.images.probe == PINS["IMAGES_PROBE"]
    assert found.images.kube_proxy == PINS["IMAGES_KUBE_PROXY"]
    assert found.cilium.chart == "/cache/out/cilium-1/src/install/kubernetes/cilium"


def test_the_site_file_leaves_out_what_has_no_image_here() -> None:
    values = site.settings(PINS.common, CILIUM)["cilium"]["values"]
    assert values["envoy"] == {"enabled": False}, "the Envoy DaemonSet would wait for its image for ever"
    assert values["l7Proxy"] is False
    ui = values["hubble"]["ui"]
    assert {ui[part]["image"]["override"] for part in ("frontend", "backend")} == {PINS["IMAGES_HUBBLE_PAGE"]}, (
        "the Pod of Hubble UI would wait for its images for ever, and so would every up"
    )


def test_the_stack_s_own_settings_win_over_the_site_s() -> None:
    stack = {"cni": "flannel", "images": {"probe": "mine:1"}}
    found = settings.parse(stack, site.settings(PINS.common, CILIUM))
    assert found.images.probe == "mine:1"
    assert found.images.cni_plugins == PINS["IMAGES_CNI_PLUGINS"]


def test_where_nothing_is_needed_the_environment_is_a_comment(tmp_path: Path) -> None:
    lines = exports(plan(Cache(root=tmp_path), Need(mode="none", missing=())))
    assert all(line.startswith("#") for line in lines), "a machine with its own tools would get other ones"


def test_the_environment_puts_the_virtual_environment_and_the_tools_first(tmp_path: Path) -> None:
    # A folder that a shell would split.
    cache = Cache(root=tmp_path / "a cache")
    made = plan(cache, Need(mode="all", missing=COMMANDS), Plugin(name="command", version="1", path=tmp_path / "real"))
    tools = build(made, "toolchain")["toolchain"]
    script = "\n".join([*exports(made), 'printf "%s\\n" "$PATH" "$PULUMI_HOME" "$CNI_MIGRATION_SITE"'])
    result = subprocess.run(["/bin/sh", "-c", script], env={"PATH": "/bin"}, check=True, text=True, capture_output=True)
    path, home, site_file = result.stdout.splitlines()
    assert path == f"{REPO}/.venv/bin:{tools}/bin:/bin", "the language host would run a Python without Pulumi's SDK"
    assert (Path(home) / "plugins" / "resource-command-v1" / "pulumi-resource-command").is_symlink()
    assert site_file == str(made.folders("site")["site"] / "site.yaml")


def test_a_plugin_named_by_hand_is_on_the_path(tmp_path: Path) -> None:
    named = Plugin(name="command", version="1", path=tmp_path / "real", by_hand=True)
    made = plan(Cache(root=tmp_path), Need(mode="all", missing=COMMANDS), named)
    build(made, "toolchain")
    assert shlex.quote(str(made.pulumi_home())) + "/bin:$PATH" in exports(made)[0]


def test_where_only_a_command_is_missing_only_that_is_added(tmp_path: Path) -> None:
    made = plan(Cache(root=tmp_path), Need(mode="missing", missing=("helm",)))
    assert made.graph["toolchain"].deps == ("helm",), "a machine that lacks helm would build all of Kubernetes"
    tools = build(made, "toolchain")["toolchain"]
    assert exports(made) == [f"export PATH={tools}/bin:$PATH"], "the user's plugins and registries would not be used"


def test_an_environment_of_what_is_not_built_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="make toolchain"):
        exports(plan(Cache(root=tmp_path), Need(mode="all", missing=COMMANDS)))


def test_the_site_file_is_plain_json(tmp_path: Path) -> None:
    site.write(PINS.common, CILIUM, tmp_path / "site.yaml")
    assert json.loads((tmp_path / "site.yaml").read_text()) == site.settings(PINS.common, CILIUM)
