"""How steps/targets.toml is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import graph, steps
from kit.errors import KitError
from kit.pins import load
from kit.target import closure, keys

COMMON = {"DEBIAN_SUITE": "bookworm", "IMAGES_NODE": "node:1", "IMAGES_PROBE": "probe:1"}


def written(root: Path, text: str) -> Path:
    folder = root / "steps"
    folder.mkdir()
    for name in ("a.sh", "back.sh"):
        (folder / name).write_text("true\n")
    (folder / "targets.toml").write_text(text)
    return folder / "targets.toml"


def test_a_table_becomes_a_target(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[image-node]\nscript = "steps/a.sh"\nrestore = "steps/back.sh"\ndeps = ["kind"]\ninputs = ["steps"]\n'
        'weight = 60\nengine = true\ncheck = "docker image inspect $PIN_IMAGES_NODE"\npins = ["images"]\n',
    )
    target = steps.load(COMMON, path)["image-node"]
    assert target.command == ("bash", f"{tmp_path}/steps/a.sh")
    assert target.restore == ("bash", f"{tmp_path}/steps/back.sh")
    assert target.deps == ("kind", "engine"), "the step would run before the engine does"
    assert target.weight == 60
    assert target.pins == {"IMAGES_NODE": "node:1", "IMAGES_PROBE": "probe:1"}
    assert target.check == "docker image inspect $PIN_IMAGES_NODE"
    # Editing either script must run the step again.
    assert {path.name for path in target.inputs} == {"a.sh", "back.sh", "steps"}


def test_without_a_choice_a_step_sees_all_pins_but_the_tools(tmp_path: Path) -> None:
    path = written(tmp_path, '[rootfs]\nscript = "steps/a.sh"\n')
    assert steps.load(COMMON, path)["rootfs"].pins == COMMON


def test_a_misspelt_key_and_a_missing_script_are_errors(tmp_path: Path) -> None:
    path = written(tmp_path, '[rootfs]\nscript = "steps/a.sh"\ndep = ["kind"]\n')
    with pytest.raises(KitError, match="dep"):
        steps.load(COMMON, path)
    path.write_text('[rootfs]\ndeps = ["kind"]\n')
    with pytest.raises(KitError, match="has no script"):
        steps.load(COMMON, path)


def test_all_targets_of_this_repo_fit_together() -> None:
    pins = load()
    whole = {**graph.tools(pins, tuple(graph.LINKS)), **graph.images(pins)}
    order = closure(whole, tuple(whole))
    assert len(keys(order)) == len(whole), "a dependency or an input of a target is not there"
