"""The rooms of the house: an import goes one way, and one place each starts a process or reaches a node."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# From the top down. A room may use itself and what is below it.
ROOMS = ("pipeline", "components", "plan", "steps", "settings")
# What people run beside `pulumi up`, with libraries that the program does not have. The one may use the other.
BESIDE = ("report", "bench")
INSIDE_STEPS = ("findings", "doors")


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Every module that is imported, by its full name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_an_import_goes_down_only(room: str) -> None:
    above = {"__main__", *BESIDE, *ROOMS[: ROOMS.index(room)]}
    assert modules(room), f"{room} is empty: this test would look at nothing"
    for path in modules(room):
        wrong = {name for name in imports(path) if name.split(".")[0] in above}
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}: the next strategy would not know where to go"


def test_what_judges_starts_nothing_and_asks_nobody() -> None:
    for path in (ROOT / "steps" / "findings").glob("*.py"):
        wrong = {
            name
            for name in imports(path)
            if name.split(".")[0] in ("subprocess", "os", "socket", "pulumi") or name.startswith("steps.doors")
        }
        assert not wrong, f"{path.name} uses {wrong}: a report could not render the same objects"


def test_what_renders_a_preview_starts_nothing_and_the_pipeline_builds_no_resource() -> None:
    for path in modules("pipeline"):
        names = imports(path)
        wrong = {name for name in names if name.split(".")[0] in ("pulumi_command", "pulumi_kubernetes")}
        if path.stem in ("events", "values", "redaction", "expected", "takeover", "markdown"):
            asks = ("components", "os", "subprocess", "socket")
            wrong |= {name for name in names if name.startswith("steps.doors") or name.split(".")[0] in asks}
        assert not wrong, f"{path.name} uses {wrong}: a recorded event stream could not be rendered again"


def test_steps_and_settings_know_no_resource() -> None:
    for path in [*modules("steps"), *modules("settings")]:
        names = {name.split(".")[0] for name in imports(path)}
        assert not names & {"pulumi_kubernetes", "pulumi_command"}, f"{path.relative_to(ROOT)} knows resources"
        if path.is_relative_to(ROOT / "steps"):
            assert "pulumi" not in names, f"{path.relative_to(ROOT)}: each step would load the SDK for a second"


def test_a_process_is_started_behind_the_doors_only() -> None:
    for room in ROOMS:
        for path in modules(room):
            if "doors" in path.parts or "on_probe" in path.parts:
                continue
            assert "subprocess" not in imports(path), f"{path.relative_to(ROOT)} starts processes of its own"


def test_a_node_is_reached_through_one_door() -> None:
    found = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in modules(room)
        if '"docker", "exec"' in path.read_text()
    }
    # The second one reads the marker while the program plans, before there is a kubeconfig.
    assert found == {"steps/doors/node.py", "plan/observation.py"}, f"another way into a node: {found}"


def test_nobody_compares_the_name_of_a_strategy() -> None:
    names = {"recreate", "rolling", "live"}
    for room in ROOMS:
        for path in modules(room):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Compare):
                    constants = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
                    assert not constants & names, f"{path.relative_to(ROOT)}:{node.lineno} asks for a name, not a fact"


def test_what_the_benchmark_judges_and_renders_starts_nothing_and_asks_nobody() -> None:
    pure = ("answers", "claims", "manifest", "order", "ratios", "render", "shapes", "summary", "verdict", "workloads")
    for name in pure:
        path = ROOT / "bench" / f"{name}.py"
        asks = ("subprocess", "os", "socket", "steps")
        wrong = {found for found in imports(path) if found.split(".")[0] in asks}
        assert not wrong, f"{path.name} uses {wrong}: results could not be rendered again without measuring"


def test_the_benchmark_starts_processes_behind_the_doors_of_the_steps() -> None:
    found = {path.name for path in modules("bench") if "subprocess" in imports(path)}
    # They type what a user types: the one with the user's own environment, the other so that an interrupt ends it well.
    assert found == {"pulumi.py"}, f"{found} start processes of their own"


def test_the_benchmark_does_not_know_the_report() -> None:
    assert modules("bench"), "bench is empty: this test would look at nothing"
    for path in modules("bench"):
        wrong = {name for name in imports(path) if name.split(".")[0] in ("report", "components", "plan")}
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}: a benchmark would need what only a page needs"
