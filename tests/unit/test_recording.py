"""When a recording begins and how it ends: what is measured, what goes on unmeasured, and the report that is kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from steps import traffic_record, traffic_report
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.running import StepError

SCRIPT = Path(__file__).parents[2] / "steps" / "on_node" / "recording.sh"
NODES = ("cp", "w1")
EPOCH = "7"
RECORD = traffic_record.Needs(cluster="c", epoch=EPOCH, must_be_measured=True, nodes=NODES, control_plane="cp")
REPORT = traffic_report.Needs(
    epoch=EPOCH,
    nodes=NODES,
    control_plane="cp",
    strategy="rolling",
    enforces_budget=True,
    max_failures=0,
    max_gap_ms=1000,
)


class World(Kubectl):
    """Two nodes with a folder each, where recording.sh runs for real. `broken` is NODE STEP, or a kind."""

    def __init__(self, root: Path) -> None:
        super().__init__(Path("/nowhere"))
        self.root = root
        self.steps: list[str] = []
        self.broken = ""
        self.rollout = ""
        self.ready = "True"
        self.probers: list[Object] = [{"metadata": {"name": "p"}}]
        # What the probers of a node write as soon as a recording begins there.
        self.answers = {"w1": "1000 p begin - - 0\n1001 p service service ok 1\n"}

    def folder(self, name: str) -> Path:
        return self.root / name / "traffic"

    def inside(self, name: str, step: str, stdin: str = "", **env: str) -> str:
        own = {"STEP": step, "FOLDER": str(self.folder(name)), "NODE": name, "EPOCH": EPOCH, "CONTROL_PLANE": "cp"}
        done = subprocess.run(
            ["bash", str(SCRIPT)],
            check=False,
            input=stdin,
            env={"PATH": "/usr/bin:/bin", **own, **env},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ToolError(f"{name} {step}: {done.stderr}", done.stderr)
        return done.stdout

    def on_node(self, name: str, script: str, *, env: Mapping[str, str], stdin: str = "") -> str:
        assert script == "recording"
        self.steps.append(f"{name} {env['STEP']}")
        if self.broken == self.steps[-1]:
            raise ToolError(f"{self.broken} gave no answer")
        told = self.inside(name, **{**dict(env), "step": env["STEP"], "stdin": stdin, "FOLDER": str(self.folder(name))})
        if env["STEP"] == "start" and name in self.answers:
            (self.folder(name) / EPOCH / "p.log").write_text(self.answers[name])
        return told

    def objects(self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = "") -> list[Object]:
        if kind == self.broken:
            raise ToolError(f"{kind} gave no answer")
        if kind == "pods":
            return self.probers
        return [{"metadata": {"name": "cp"}, "status": {"conditions": [{"type": "Ready", "status": self.ready}]}}]

    def run(self, *args: str, stdin: str = "", timeout: float = 120) -> str:
        assert args[:2] == ("rollout", "status"), args
        if self.rollout:
            raise ToolError(self.rollout, self.rollout)
        self.steps.append(f"{args[2]} {args[-1]}")
        return ""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)

    @contextmanager
    def cluster(name: str) -> Generator[Kubectl, None, None]:
        assert name == "c"
        yield made

    monkeypatch.setattr(traffic_record, "cluster", cluster)
    monkeypatch.setattr(traffic_record, "on_node", made.on_node)
    monkeypatch.setattr(traffic_report, "on_node", made.on_node)
    monkeypatch.setattr(traffic_record, "_ANSWER", 0)
    return made


def steps_of(world: World) -> list[str]:
    return [line.split(" ", 1)[1] for line in (world.folder("cp") / EPOCH / "steps").read_text().splitlines()]


# recording.sh itself


def test_each_step_inside_a_node_can_be_repeated(world: World) -> None:
    for _ in range(2):
        assert world.inside("cp", "state") == "none\n"
    world.folder("cp").joinpath("6").mkdir(parents=True)
    for _ in range(2):
        world.inside("cp", "start")
        assert world.inside("cp", "state") == "recording\n"
        assert not world.folder("cp").joinpath("6").exists(), "recordings of old migrations would fill the node"
        assert steps_of(world) == ["step before"]
    world.folder("cp").joinpath(EPOCH, "p.log").write_text("1 p service service ok 1\n")
    world.folder("cp").joinpath(EPOCH, "silent.log").write_text("1 p service service failed:ETIMEDOUT 1\n")
    for _ in range(2):
        assert world.inside("cp", "answered") == "p\n", "a prober that has no network would pass as one that measures"
        world.inside("cp", "mark", NAME="move w1")
        world.inside("cp", "touch")
    for _ in range(2):
        world.inside("cp", "end")
        world.inside("cp", "stop")
        assert world.inside("cp", "state") == "recorded\n"
    assert steps_of(world) == ["step before", "step move w1", "step move w1", "step end"]
    for _ in range(2):
        world.inside("cp", "keep", stdin="{}\n")
        assert world.inside("cp", "state") == "reported\n" and world.inside("cp", "report") == "{}\n"


def test_a_mark_without_a_recording_does_nothing_and_needs_no_epoch(world: World) -> None:
    env = {"PATH": "/usr/bin:/bin", "STEP": "mark", "FOLDER": str(world.folder("cp")), "NAME": "takeover"}
    for _ in range(2):
        subprocess.run(["bash", str(SCRIPT)], env=env, check=True)
    assert not world.folder("cp").exists(), "a step of an unmeasured migration would fail"
    world.inside("cp", "start")
    subprocess.run(["bash", str(SCRIPT)], env=env, check=True)
    assert steps_of(world) == ["step before", "step takeover"]


def test_only_the_control_plane_keeps_the_steps(world: World) -> None:
    world.inside("w1", "start")
    assert not world.folder("w1").joinpath(EPOCH, "steps").exists(), "the migration would begin twice in the report"
    assert world.inside("w1", "state") == "recording\n"


def test_a_recording_of_another_migration_is_none_of_this_one(world: World) -> None:
    world.inside("cp", "start", EPOCH="6")
    assert world.inside("cp", "state") == "none\n", "this migration would be reported with what another one cost"


def test_what_is_forgotten_is_not_reported(world: World) -> None:
    world.inside("cp", "start")
    for _ in range(2):
        world.inside("cp", "forget")
        assert world.inside("cp", "state") == "none\n", "an unmeasured migration would pass as one without a failure"


def test_a_line_that_was_cut_off_does_not_spoil_the_next_log(world: World) -> None:
    world.inside("cp", "start")
    world.folder("cp").joinpath(EPOCH, "a.log").write_text("1 a serv")
    world.folder("cp").joinpath(EPOCH, "b.log").write_text("2 b begin - - 0\n")
    lines = world.inside("cp", "lines").splitlines()
    assert "1 a serv" in lines and "2 b begin - - 0" in lines, "the time that a prober was away would be a gap"
    assert any(line.endswith(" step before") for line in lines)


def test_a_recording_that_is_gone_is_no_silence(world: World) -> None:
    with pytest.raises(ToolError):
        world.inside("w1", "sizes")
    with pytest.raises(ToolError, match="unknown step"):
        world.inside("w1", "other")


# traffic_record


def test_a_recording_begins_on_the_control_plane_last(world: World) -> None:
    assert traffic_record.verb(RECORD) == ""
    assert world.steps[:5] == [
        "cp state",
        "daemonset/traffic-host --timeout=120s",
        "deployment/traffic --timeout=120s",
        "w1 start",
        "cp start",
    ], "an `up` that was cut off would go on with a node that records nothing"


def test_a_recording_that_goes_on_or_is_reported_is_not_begun_again(world: World) -> None:
    traffic_record.verb(RECORD)
    world.steps.clear()
    traffic_record.verb(RECORD)
    assert world.steps[0] == "cp state" and sorted(world.steps[1:]) == ["cp touch", "w1 touch"]
    world.inside("cp", "keep", stdin="{}")
    world.steps.clear()
    traffic_record.verb(RECORD)
    assert world.steps == ["cp state"], "a report would be overwritten"


def test_where_the_network_is_not_up_nothing_is_recorded(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.ready = "Unknown"
    assert traffic_record.verb(RECORD) == ""
    assert "the network is not up, so its interruption is not measured" in capsys.readouterr().err
    assert world.steps == ["cp state"]


NOT_UP = "error: timed out waiting for the condition"


@pytest.mark.parametrize("obstacle", ["rollout", "silent"])
def test_probers_without_an_answer_fail_a_strategy_that_has_to_be_measured(world: World, obstacle: str) -> None:
    if obstacle == "rollout":
        world.rollout = NOT_UP
    else:
        world.probers.append({"metadata": {"name": "silent"}})
    with pytest.raises(StepError) as failed:
        traffic_record.verb(RECORD)
    why = {
        "rollout": "the probers (daemonset/traffic-host) do not all run within 120 s: "
        "kubectl --namespace cni-migration get pods",
        "silent": "these probers have no answer from the network within 0 s: silent. "
        "See kubectl --namespace cni-migration logs",
    }[obstacle]
    assert str(failed.value) == (
        f"{why}\nthis strategy goes by what is measured; mend that, or set traffic.enabled to false"
    )
    assert world.inside("cp", "state") == "none\n", "the next `up` would take it for a recording that goes on"


@pytest.mark.parametrize("obstacle", ["rollout", "silent"])
def test_another_strategy_goes_on_unmeasured(world: World, obstacle: str, capsys: pytest.CaptureFixture[str]) -> None:
    if obstacle == "rollout":
        world.rollout = NOT_UP
    else:
        world.probers.append({"metadata": {"name": "silent"}})
    traffic_record.verb(replace(RECORD, must_be_measured=False))
    assert "so the interruption is not measured" in capsys.readouterr().err
    report = json.loads(traffic_report.verb(replace(REPORT, enforces_budget=False)))
    assert report["measured"] is False, "what was not measured would be reported as no interruption"


def test_less_patience_is_had_where_it_need_not_be_measured(world: World) -> None:
    traffic_record.verb(replace(RECORD, must_be_measured=False))
    assert "deployment/traffic --timeout=30s" in world.steps


def test_probers_that_leave_are_not_waited_for(world: World) -> None:
    world.probers.append({"metadata": {"name": "gone", "deletionTimestamp": "2025-01-01T00:00:00Z"}})
    assert traffic_record.verb(RECORD) == ""


@pytest.mark.parametrize("question", ["cp state", "nodes", "pods", "w1 start", "cp start", "w1 answered"])
def test_a_question_that_failed_is_no_reason_to_go_on_unmeasured(world: World, question: str) -> None:
    world.broken = question
    with pytest.raises(StepError, match="gave no answer"):
        traffic_record.verb(replace(RECORD, must_be_measured=False))


def test_a_rollout_that_could_not_be_asked_for_is_no_rollout_that_is_not_up(world: World) -> None:
    world.rollout = "connection refused"
    with pytest.raises(ToolError, match="connection refused"):
        traffic_record.verb(replace(RECORD, must_be_measured=False))


# traffic_report

# A second without an answer in the step `before`, which began at any time before them.
FAILED = "{0} p service service failed:ETIMEDOUT 1\n"


def recorded(world: World, *, failed: bool) -> None:
    traffic_record.verb(RECORD)
    begun = int((world.folder("cp") / EPOCH / "steps").read_text().split()[0])
    log = world.folder("w1") / EPOCH / "p.log"
    log.write_text(f"{begun + 5} p service service ok 1\n" + (FAILED.format(begun + 9) if failed else ""))
    world.steps.clear()


def test_the_report_is_kept_and_printed_as_it_was_the_next_time(world: World) -> None:
    recorded(world, failed=False)
    first = traffic_report.verb(REPORT)
    report = json.loads(first)
    assert (report["measured"], report["withinBudget"], report["requests"]) == (True, True, 1)
    assert report["strategy"] == "rolling" and [step["step"] for step in report["steps"]] == ["before"]
    assert first.count("\n") == 1
    assert traffic_report.verb(replace(REPORT, strategy="another", max_failures=9)) == first


def test_what_is_beyond_the_budget_is_reported_and_fails_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(world, failed=True)
    with pytest.raises(StepError) as failed:
        traffic_report.verb(REPORT)
    printed = capsys.readouterr().out
    why = json.loads(printed)["why"]
    assert "1 of 2 new connections failed" in why
    assert str(failed.value) == f"the migration is done, but it interrupted more than migration.budget allows: {why}"
    assert traffic_report.verb(REPORT) == printed, "a migration that is done would fail every `up` from now on"


def test_a_strategy_that_enforces_no_budget_is_only_reported(world: World) -> None:
    recorded(world, failed=True)
    assert json.loads(traffic_report.verb(replace(REPORT, enforces_budget=False)))["withinBudget"] is False


def test_nothing_recorded_is_told_as_that(world: World) -> None:
    assert json.loads(traffic_report.verb(REPORT)) == {
        "measured": False,
        "why": "nothing was recorded: the network was not up when the migration began",
    }


@pytest.mark.parametrize("step", ["cp state", "cp end", "w1 stop", "w1 sizes", "w1 lines", "cp keep"])
def test_a_report_that_was_cut_off_anywhere_is_made_by_the_next_up(world: World, step: str) -> None:
    recorded(world, failed=False)
    world.broken = step
    with pytest.raises(StepError, match="gave no answer"):
        traffic_report.verb(REPORT)
    world.broken = ""
    assert json.loads(traffic_report.verb(REPORT))["requests"] == 1, "what it cost would never be known"


def test_a_recording_that_cannot_be_read_is_not_taken_for_a_silent_one(world: World) -> None:
    recorded(world, failed=False)
    world.broken = "w1 sizes"
    with pytest.raises(StepError, match="the recording cannot be read"):
        traffic_report.verb(REPORT)


def test_probers_that_never_fall_silent_are_a_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(world, failed=False)
    inner = world.on_node

    def busy(name: str, script: str, *, env: Mapping[str, str], stdin: str = "") -> str:
        if env["STEP"] == "sizes" and name == "w1":
            with (world.folder("w1") / EPOCH / "p.log").open("a") as log:
                log.write("x\n")
        return inner(name, script, env=env, stdin=stdin)

    monkeypatch.setattr(traffic_report, "on_node", busy)
    monkeypatch.setattr(traffic_report, "_SILENCE", 1)
    with pytest.raises(StepError, match="the probers still write 1 s after the recording's end"):
        traffic_report.verb(REPORT)
