"""What `python -m bench.interruption` prints of a migration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bench import interruption
from bench.interruption import COLUMNS, main, migrated, row
from steps.doors.process import ToolError

KIND = {"longestGapSeconds": 0.4}
REPORT: dict[str, Any] = {
    "measured": True,
    "requests": 9,
    "failures": 1,
    "longestGapSeconds": 0.52,
    "slowestSeconds": 0.3,
    "connectionsBroken": 2,
    "why": "1 of 9 failed",
    "pods": {"before": 30, "kept": 5, "gone": ["a/b", "and 24 more"], "restarted": []},
    "steps": [
        {"step": "before", "seconds": 2.0, "kinds": {"dns": {"longestGapSeconds": 0.1}}},
        {"step": "move w", "seconds": 31.4, "kinds": {"dns": KIND}},
        {"step": "finish", "seconds": 5.0, "kinds": {}},
    ],
}


def test_each_column_has_its_figure() -> None:
    said = dict(zip(COLUMNS, ["live", *row("cilium", 99.6, REPORT, "")], strict=True))
    assert said["seconds"] == "100" and said["s a node"] == "31" and said["worst step"] == "move w"
    assert (said["failures"], said["broken"], said["Pods not kept"], said["restarted"]) == ("1", "2", "25", "0")
    bare = dict(zip(COLUMNS, ["live", *row("cilium", 1, {"measured": False, "why": "no network"}, "")], strict=True))
    assert bare["requests"] == "-" and bare["why"] == "no network", "what nobody measured would pass for calm"


def test_a_migration_that_broke_its_budget_is_a_row_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    typed: list[str] = []

    def pulumi(*words: str, env: Mapping[str, str]) -> str:
        typed.append(words[0])
        if typed == ["up"]:
            raise ToolError("`pulumi up` failed: it said\n  error: exit status 1: more than migration.budget allows")
        return json.dumps(REPORT)

    monkeypatch.setattr(interruption, "pulumi", pulumi)
    said = dict(zip(COLUMNS, migrated("live", "cilium", {}), strict=True))
    assert said["why"] == "1 of 9 failed" and typed == ["up", "up", "stack"], "what cost most would be missing"


@pytest.mark.parametrize("arguments", [[], ["live"], ["3"], ["3", "lively"], ["x", "live"]])
def test_what_names_no_rounds_and_strategies_moves_nothing(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(interruption, "pulumi")
    assert main(arguments) == 2
    assert "recreate, rolling, live" in capsys.readouterr().err
