"""The policy pack from outside: what docs/policy.md says of it, and that each rule has a fault that it must find.

The pack has packages of its own, so nothing of it can be imported here: its source is read.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

from engine.policy_faults import FAULTS

REPO = Path(__file__).parents[2]
PACK = REPO / "policy"
PAGE = (REPO / "docs" / "policy.md").read_text()
# `pulumi policy analyze` is not told of the option that it looks at: it has a preview with a fault instead.
BY_PREVIEW = {"gate-deletes-before-it-replaces"}


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A rule as its module declares it."""

    name: str
    advisory: bool
    settings: tuple[str, ...]


def declared() -> list[Declared]:
    rules: list[Declared] = []
    for path in sorted((PACK / "rules").glob("*.py")):
        tree = ast.parse(path.read_text())
        shared = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) in ("resource_rule", "stack_rule")):
                continue
            options = {option.arg: option.value for option in node.keywords}
            settings = options.get("settings")
            settings = shared.get(settings.id) if isinstance(settings, ast.Name) else settings
            keys = settings.keys if isinstance(settings, ast.Dict) else []
            rules.append(
                Declared(
                    name=ast.literal_eval(node.args[0]),
                    advisory="ADVISORY" in ast.unparse(options["level"]) if "level" in options else False,
                    settings=tuple(ast.literal_eval(key) for key in keys if key),
                )
            )
    return rules


def rows() -> dict[str, str]:
    """Rule to its line in the table."""
    return {name: line for line in PAGE.splitlines() for name in re.findall(r"^\| `([a-z-]+)` \|", line)}


def test_the_page_has_every_rule_with_its_level_and_what_can_be_set() -> None:
    rules = declared()
    assert len(rules) >= 12 and len({rule.name for rule in rules}) == len(rules)
    assert set(rows()) == {rule.name for rule in rules}, "who is stopped by a rule finds nothing about it"
    for rule in rules:
        row = rows()[rule.name]
        assert ("advisory" in row) == rule.advisory, f"{rule.name}: the page promises another level"
        missing = [setting for setting in rule.settings if f"`{setting}`" not in row]
        assert not missing, f"{rule.name}: nobody learns that {missing} can be set"


def test_every_rule_has_a_fault_that_it_must_find() -> None:
    covered = {fault.rule for fault in FAULTS} | BY_PREVIEW
    assert covered == {rule.name for rule in declared()}, "a rule that finds nothing would be trusted"


def test_the_pack_needs_nothing_of_the_program() -> None:
    program = {"components", "plan", "settings", "steps", "pulumi_kubernetes", "pulumi_command"}
    for path in [*PACK.glob("*.py"), *(PACK / "rules").glob("*.py")]:
        names = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not names & program, f"{path.name}: the pack's own packages do not have {names & program}"


def test_the_pack_and_the_program_use_one_version_of_the_sdk() -> None:
    versions = {
        re.findall(r'"pulumi==([0-9.]+)"', (folder / "pyproject.toml").read_text())[0] for folder in (REPO, PACK)
    }
    assert len(versions) == 1, f"the engine would speak to two SDKs: {versions}"


def test_the_settings_in_the_repository_are_settings_of_rules() -> None:
    known = {rule.name: set(rule.settings) | {"enforcementLevel"} for rule in declared()}
    for name, settings in json.loads((PACK / "config.json").read_text()).items():
        assert name in known, f"{name} is no rule: what is set for it counts nowhere"
        assert set(settings) <= known[name], f"{name} has no {set(settings) - known[name]}"
