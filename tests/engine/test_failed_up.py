"""What a user reads when an `up` fails: the error that matters comes last, and no traceback of the SDK behind it."""

from __future__ import annotations

import ast
from pathlib import Path

from engine.conftest import ROOT
from engine.pulumi_cli import Stack

PROGRAM = """\
import signal
import pulumi
from pulumi_command import local
{statement}
local.Command("failing", create="sleep 1; echo it broke >&2; exit 1")
for number in range(12):
    local.Command(f"slow-{{number}}", create="sleep 3")
"""


def statement() -> str:
    """The line of the program's own __main__.py that says what the engine's SIGINT does to it."""
    body = ast.parse((ROOT / "__main__.py").read_text()).body
    found = [ast.unparse(node) for node in body if isinstance(node, ast.Expr) and "SIGINT" in ast.unparse(node)]
    assert len(found) == 1, "the program would print where it was when the engine stops it"
    return found[0]


def test_an_up_that_fails_ends_without_a_traceback_of_the_sdk(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: failed-up\nruntime: python\n")
    (program / "__main__.py").write_text(PROGRAM.format(statement=statement()))
    failed = Stack(program=program, backend=tmp_path / "state").create().up(check=False)
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0 and "it broke" in text, "a failure must not pass as done"
    assert "KeyboardInterrupt" not in text and "Traceback" not in text, "the error that matters is 80 lines above"
