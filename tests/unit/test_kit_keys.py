"""The key of a target: what changes it, and what does not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kit.errors import KitError
from kit.graph import tools
from kit.pins import load
from kit.target import Target, closure, keys


def key_of(target: Target, *others: Target) -> str:
    return keys([*others, target])[target.name]


def script(name: str = "image", **changes: object) -> Target:
    return dataclasses.replace(Target(name=name, command=("bash", "/somewhere/step.sh")), **changes)


def test_the_key_changes_when_a_pin_changes() -> None:
    old, new = script(pins={"UV_VERSION": "1"}), script(pins={"UV_VERSION": "2"})
    assert key_of(old) != key_of(new), "a new version would not be built"


def test_the_key_changes_when_a_dependency_does() -> None:
    old = script(name="base", pins={"SUITE": "bookworm"})
    new = script(name="base", pins={"SUITE": "trixie"})
    image = script(deps=("base",))
    assert key_of(image, old) != key_of(image, new), "an image would keep the binaries of the old version"


def test_the_key_changes_with_the_content_of_an_input_and_with_its_executable_bit(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    file = folder / "a.sh"
    file.write_text("one")
    target = script(inputs=(folder,))
    first = key_of(target)
    file.write_text("two")
    second = key_of(target)
    file.chmod(0o755)
    third = key_of(target)
    assert len({first, second, third}) == 3, "an edited step would not be run again"


def test_two_clones_share_what_they_built(tmp_path: Path) -> None:
    found: set[str] = set()
    for clone in ("one", "two"):
        step = tmp_path / clone / "steps" / "step.sh"
        step.parent.mkdir(parents=True)
        step.write_text("true")
        found.add(key_of(script(command=("bash", str(step)), inputs=(step,))))
    assert len(found) == 1, "the second clone on a machine would build everything again"


def test_an_uncached_dependency_does_not_count() -> None:
    old = script(name="engine", cached=False, pins={"A": "1"})
    new = script(name="engine", cached=False, pins={"A": "2"})
    image = script(deps=("engine",))
    assert key_of(image, old) == key_of(image, new), "another container engine would rebuild the images"


def test_a_weight_does_not_count() -> None:
    pins = load()
    kind = pins.tools["kind"]
    heavier = dataclasses.replace(pins, tools={**pins.tools, "kind": dataclasses.replace(kind, weight=9999)})
    both = [keys([tools(known, ())["kind"]])["kind"] for known in (pins, heavier)]
    assert both[0] == both[1], "a better estimate would rebuild the tool"


def test_dependencies_come_first() -> None:
    graph = {"a": script("a", deps=("b",)), "b": script("b", deps=("c",)), "c": script("c")}
    assert [target.name for target in closure(graph, ("a",))] == ["c", "b", "a"]


def test_a_circle_and_an_unknown_name_are_errors() -> None:
    with pytest.raises(KitError, match="depends on itself"):
        closure({"a": script("a", deps=("b",)), "b": script("b", deps=("a",))}, ("a",))
    with pytest.raises(KitError, match=r"no target «missing» \(a needs it\)"):
        closure({"a": script("a", deps=("missing",))}, ("a",))
