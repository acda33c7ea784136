"""The user's own plugins win, and the kit's PULUMI_HOME holds what the engine will look for."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import plugins
from kit.errors import KitError
from kit.paths import Cache
from kit.pins import load

NAME = "pulumi-resource-command"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(root=tmp_path / "cache")


@pytest.fixture(autouse=True)
def user_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def command(cache: Cache, **environment: str) -> plugins.Plugin:
    return next(plugin for plugin in plugins.find(load(), cache, environment) if plugin.name == "command")


def test_without_a_real_plugin_the_kit_builds_its_own(cache: Cache) -> None:
    assert command(cache, PATH="/nonexistent").path is None


def test_the_real_command_plugin_on_the_path_wins(cache: Cache, tmp_path: Path) -> None:
    real = executable(tmp_path / "bin" / NAME)
    assert command(cache, PATH=f"/nonexistent:{real.parent}").path == real, (
        "a stand-in would run in the real one's place"
    )


def test_the_real_command_plugin_in_the_user_s_home_wins(cache: Cache, user_home: Path) -> None:
    real = executable(user_home / ".pulumi" / "plugins" / "resource-command-v1.2.1" / NAME)
    assert command(cache, PATH="").path == real
    # Also in a shell that has the kit's environment already.
    assert command(cache, PATH="", PULUMI_HOME=str(cache.root / "pulumi-home-1")).path == real


def test_a_plugin_in_a_home_of_the_user_s_choice_wins(cache: Cache, tmp_path: Path) -> None:
    real = executable(tmp_path / "elsewhere" / "plugins" / "resource-command-v1.2.1" / NAME)
    assert command(cache, PATH="", PULUMI_HOME=str(tmp_path / "elsewhere")).path == real


def test_a_plugin_of_another_version_or_half_installed_is_not_taken(cache: Cache, user_home: Path) -> None:
    folder = user_home / ".pulumi" / "plugins"
    executable(folder / "resource-command-v1.0.0" / NAME)
    assert command(cache, PATH="").path is None, "the engine takes exactly the version that the SDK asks for"
    executable(folder / "resource-command-v1.2.1" / NAME)
    (folder / "resource-command-v1.2.1.partial").touch()
    assert command(cache, PATH="").path is None, "the engine ignores a plugin whose download was interrupted"


def test_the_kit_s_own_plugin_on_the_path_is_not_taken_for_a_real_one(cache: Cache) -> None:
    own = executable(cache.out / "pulumi-resource-command-1" / "bin" / NAME)
    assert command(cache, PATH=str(own.parent)).path is None, "the stand-in would never be updated"


def test_the_plugin_named_by_hand_wins_over_all_and_comes_first_on_the_path(cache: Cache, tmp_path: Path) -> None:
    other = executable(tmp_path / "bin" / NAME)
    named = executable(tmp_path / "named")
    plugin = command(cache, PATH=str(other.parent), KIT_COMMAND_PLUGIN=str(named))
    assert plugin.path == named
    home = plugins.home([plugin], {}, cache)
    assert (home / "bin" / NAME).resolve() == named, "the engine would take the one on PATH"


def test_a_plugin_named_by_hand_that_is_not_there_is_an_error(cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(KitError, match="not an executable"):
        command(cache, PATH="", KIT_COMMAND_PLUGIN=str(tmp_path / "nothing"))


def test_the_home_holds_each_plugin_where_the_engine_looks(cache: Cache, tmp_path: Path) -> None:
    pins = load()
    real = executable(tmp_path / "bin" / NAME)
    built = executable(cache.out / "kubernetes-1" / "bin" / "pulumi-resource-kubernetes")
    found = plugins.find(pins, cache, {"PATH": str(real.parent)})
    home = [plugins.home(found, {"kubernetes": built.parent.parent}, cache) for _ in range(2)][-1]
    folder = home / "plugins" / f"resource-kubernetes-v{pins['PLUGINS_KUBERNETES']}"
    assert not folder.is_symlink(), "the engine skips a plugin folder that is a link"
    assert (folder / "pulumi-resource-kubernetes").resolve() == built
    assert (home / "plugins" / f"resource-command-v{pins['PLUGINS_COMMAND']}" / NAME).resolve() == real
    assert not (home / "bin").exists()


def test_the_real_plugin_and_the_stand_in_have_homes_of_their_own(cache: Cache, tmp_path: Path) -> None:
    built = {"command": cache.out / "c", "kubernetes": cache.out / "k"}
    stand_in = plugins.home(plugins.find(load(), cache, {"PATH": ""}), built, cache)
    real = executable(tmp_path / "bin" / NAME)
    own = plugins.home(plugins.find(load(), cache, {"PATH": str(real.parent)}), built, cache)
    assert stand_in != own, "a run under way would change its plugin in the middle"
