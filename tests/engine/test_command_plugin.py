"""What the program relies on of the command provider, on the real engine; the real plugin has to pass this as well."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.pulumi_cli import Stack, copy_program

PROGRAM = Path(__file__).parent / "programs" / "command_plugin"
START_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A stack of the program, and the trace that its scripts leave: one line a run."""

    stack: Stack

    def describe(self, *, secrets: Sequence[str] = (), run: str | None = None, **args: Any) -> None:
        environment = {"TRACE": str(self.trace_file), **args.pop("environment", {})}
        spec = {"args": {**args, "environment": environment}, "secrets": secrets, **({"run": run} if run else {})}
        (self.stack.program / "command.json").write_text(json.dumps(spec))

    @property
    def trace_file(self) -> Path:
        return self.stack.program / "trace.log"

    def trace(self) -> list[str]:
        return take_lines(self.trace_file)

    def known(self) -> list[str]:
        return take_lines(self.stack.program / "known.log")


def take_lines(path: Path) -> list[str]:
    """Reads the lines of a log that may not be there yet, and empties it."""
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    program = copy_program(PROGRAM, tmp_path / "program")
    return Bench(stack=Stack(program=program, backend=tmp_path / "state").create())


def tracing(text: str) -> str:
    """A script that leaves a line in the trace and prints it; $VAR in it is expanded."""
    return f'echo "{text}" | tee -a "$TRACE"'


def test_a_command_runs_once_until_something_changes(bench: Bench) -> None:
    bench.describe(create=tracing("create"))
    bench.stack.preview()
    assert bench.trace() == [], "a preview ran the command"
    assert bench.known() == [], "a preview claimed to know what a command that never ran will print"
    bench.stack.up()
    assert bench.trace() == ["create"]
    assert bench.stack.outputs() == {"stdout": "create", "stderr": ""}
    bench.stack.preview("--expect-no-changes")
    bench.stack.up("--expect-no-changes")
    assert bench.trace() == [], "an up without a change ran the command again"


def test_a_change_runs_update_or_create_again_where_update_is_unset(bench: Bench) -> None:
    previous = "previous=${PULUMI_COMMAND_STDOUT-unset}"
    bench.describe(create="echo first")
    bench.stack.up()
    bench.describe(create=tracing(f"create {previous}"))
    bench.stack.up()
    assert bench.trace() == ["create previous=first"], "without update, a change has to run create again"
    bench.describe(create=tracing(f"create {previous}"), update=tracing(f"update {previous}"))
    bench.stack.up()
    assert bench.trace() == ["update previous=create previous=first"], "with update set, a change has to run it"
    bench.describe(create=tracing("create"), update=tracing(f"update {previous}"), add_previous_output_in_env=False)
    bench.stack.up()
    assert bench.trace() == ["update previous=unset"], "the previous output was to be left out of the environment"


def test_an_environment_change_alone_is_previewed_as_an_update(bench: Bench) -> None:
    bench.describe(create=tracing("create $COLOR"), environment={"COLOR": "red"})
    bench.stack.up()
    assert (bench.trace(), bench.known()) == (["create red"], ["create red"])
    bench.describe(create=tracing("create $COLOR"), environment={"COLOR": "blue"})
    steps = {step.name: step for step in bench.stack.preview_steps()}
    assert steps["it"].op == "update", "the preview does not show that the command will run again"
    assert "environment.COLOR" in steps["it"].detail["detailedDiff"]
    assert bench.known() == [], "the preview took the old output for the new one"
    bench.stack.up()
    assert bench.trace() == ["create blue"]


def test_only_triggers_replace_and_the_delete_is_the_one_in_the_state(bench: Bench) -> None:
    bench.describe(create=tracing("create $V"), delete=tracing("delete $V"), triggers=["a"], environment={"V": "1"})
    bench.stack.up()
    assert bench.trace() == ["create 1"]
    bench.describe(create=tracing("create $V"), delete=tracing("other $V"), triggers=["b"], environment={"V": "2"})
    ops = [step.op for step in bench.stack.preview_steps() if step.name == "it"]
    assert "replace" in ops, f"a changed trigger is previewed as {ops}"
    bench.stack.up()
    assert bench.trace() == ["create 2", "delete 1"], "the old resource's own script has to clean up after it"
    bench.describe(create=tracing("create $V"), delete=tracing("third $V"), triggers=["b"], environment={"V": "2"})
    assert [s.op for s in bench.stack.preview_steps() if s.name == "it"] == ["update"], "only triggers may replace"


def test_a_failed_create_tells_what_it_printed_and_the_next_up_creates(bench: Bench) -> None:
    bench.describe(create="echo no such luck; echo on stderr >&2; exit 3", delete=tracing("delete"))
    failed = bench.stack.up(check=False)
    assert failed.returncode != 0
    said = failed.stdout + failed.stderr
    assert all(text in said for text in ("exit status 3", "no such luck", "on stderr")), f"the cause is lost:\n{said}"
    assert "it" not in bench.stack.resources(), "a command that failed is taken for one that was created"
    bench.describe(create=tracing("create"), delete=tracing("delete"))
    bench.stack.up()
    assert bench.trace() == ["create"]


def test_a_failed_update_is_tried_again_by_the_next_up(bench: Bench) -> None:
    bench.describe(create="echo good", environment={"V": "1"})
    bench.stack.up()
    bench.describe(create="echo good", update="exit 4", environment={"V": "2"})
    assert bench.stack.up(check=False).returncode != 0
    assert bench.stack.resources()["it"]["outputs"]["stdout"] == "good", "a failed update replaced the last output"
    bench.describe(create="echo good", update=tracing("update $V"), environment={"V": "2"})
    bench.stack.up()
    assert bench.trace() == ["update 2"], "the update that failed was forgotten"


def test_destroy_runs_delete_with_the_last_output(bench: Bench) -> None:
    bench.describe(create="echo made", delete=tracing("delete $PULUMI_COMMAND_STDOUT"))
    bench.stack.up()
    bench.stack.destroy()
    assert bench.trace() == ["delete made"]
    assert bench.stack.resources() == {}


def test_destroy_without_a_delete_script_only_forgets(bench: Bench) -> None:
    bench.describe(create=tracing("create"), update=tracing("update"))
    bench.stack.up()
    bench.stack.destroy()
    assert bench.trace() == ["create"]
    assert bench.stack.resources() == {}


def test_stdin_dir_and_interpreter_are_the_commands(bench: Bench, tmp_path: Path) -> None:
    script = "import os, sys; print(sys.stdin.read() + '|' + os.getcwd())"
    bench.describe(create=script, stdin="a\nb", dir=str(tmp_path), interpreter=["python3", "-c"], logging="none")
    bench.stack.up()
    assert bench.stack.outputs()["stdout"] == f"a\nb|{tmp_path}"


def test_a_secret_in_the_environment_is_encrypted_in_the_state(bench: Bench) -> None:
    bench.describe(create="test -n $TOKEN && echo done", environment={"TOKEN": "hunter2"}, secrets=["TOKEN"])
    bench.stack.up()
    assert bench.stack.outputs()["stdout"] == "done"
    assert "hunter2" not in json.dumps(bench.stack.export()), "the secret is in the state in the clear"


def test_a_function_runs_its_command_in_previews_too(bench: Bench) -> None:
    bench.describe(create="true", run='echo looked | tee -a "$FUNCTION_TRACE"')
    trace = bench.stack.program / "function.log"
    stack = bench.stack.with_env(FUNCTION_TRACE=str(trace))
    stack.preview()
    assert "looked" in take_lines(trace)
    stack.up()
    assert stack.outputs()["run"] == "looked"


def test_an_interrupted_command_is_ended_and_the_next_up_goes_on(bench: Bench) -> None:
    bench.describe(create='echo started >>"$TRACE"; exec sleep 600')
    process = bench.stack.start("up", "--stack", bench.stack.name, "--yes", "--skip-preview")
    try:
        wait_for(bench.trace_file, process)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
    assert process.returncode != 0, f"an interrupted up reported success:\n{said}"
    bench.trace()
    bench.describe(create=tracing("create"))
    bench.stack.up()
    assert bench.trace() == ["create"], "an interrupted create was taken for a finished one"


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Returns when `path` is there and not empty; fails when `process` ends first or START_SECONDS are over."""
    deadline = time.monotonic() + START_SECONDS
    while not (path.exists() and path.read_text()):
        assert process.poll() is None, f"pulumi ended before the command began:\n{process.communicate()[0]}"
        assert time.monotonic() < deadline, "the command did not begin"
        time.sleep(0.05)
