"""When a recording begins and how it ends: what is measured, what goes on unmeasured, and the report that is kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from steps import recordings, traffic_record, traffic_report
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.running import StepError

SCRIPT = Path(__file__).parents[2] / "steps" / "on_node" / "recording.sh"
NODES = ("cp", "w1")
EPOCH = "7"
GENERATION = "20260101T000000"
NAME = f"{GENERATION}-{EPOCH}"
OTHER = f"{GENERATION}-6"
RECORD = traffic_record.Needs(
    cluster="c",
    stack="cilium",
    generation=GENERATION,
    epoch=EPOCH,
    leg=0,
    due=True,
    must_be_measured=True,
    nodes=NODES,
    control_plane="cp",
    outside=False,
    image="",
    hertz="",
)
REPORT = traffic_report.Needs(
    cluster="c",
    generation=GENERATION,
    epoch=EPOCH,
    leg=0,
    due=True,
    nodes=NODES,
    control_plane="cp",
    strategy="rolling",
    enforces_budget=True,
    keeps_pods=False,
    max_failures=0,
    max_gap_ms=1000,
    outside=False,
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
        self.probers: list[Object] = [
            {
                "metadata": {"name": name, "namespace": "cni-migration", "uid": name},
                "spec": {"hostNetwork": name == "h"},
                "status": {"phase": "Running", "podIP": "10.244.1.9", "startTime": "2026-01-01T00:00:00Z"},
            }
            for name in ("h", "p")
        ]
        # What the probers of a node write as soon as a recording begins there.
        self.answers = {
            name: f"1000 {prober} begin - - 200\n1001 {prober} service service ok 1\n"
            for name, prober in (("cp", "h"), ("w1", "p"))
        }

    def folder(self, name: str) -> Path:
        return self.root / name / "traffic"

    def report(self, name: str) -> Path:
        return self.root / name / "report"

    def log(self, name: str, prober: str) -> Path:
        """A prober's log; what the probers make is made here."""
        log = self.folder(name) / NAME / f"{prober}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        return log

    def inside(self, name: str, step: str, stdin: str = "", **env: str) -> str:
        folders = {"FOLDER": str(self.folder(name)), "REPORT": str(self.report(name))}
        own = {"STEP": step, **folders, "NODE": name, "RECORDING": NAME, "CONTROL_PLANE": "cp"}
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
        here = {"FOLDER": str(self.folder(name)), "REPORT": str(self.report(name))}
        told = self.inside(name, **{**dict(env), "step": env["STEP"], "stdin": stdin, **here})
        if env["STEP"] == "start" and name in self.answers:
            self.log(name, "h" if name == "cp" else "p").write_text(self.answers[name])
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
    monkeypatch.setattr(traffic_report, "cluster", cluster)
    monkeypatch.setattr(recordings, "on_node", made.on_node)

    def no_container(command: Sequence[str]) -> str:
        assert command[:2] == ["docker", "ps"], f"{command} without somebody outside"
        return ""

    monkeypatch.setattr("steps.doors.docker.run", no_container)
    monkeypatch.setattr(traffic_report, "_PATIENCE", 0)
    monkeypatch.setattr(traffic_record, "_ANSWER", 0)
    return made


def steps_of(world: World) -> list[str]:
    return [line.split(" ", 1)[1] for line in (world.report("cp") / NAME / "steps").read_text().splitlines()]


# recording.sh itself


def test_each_step_inside_a_node_can_be_repeated(world: World) -> None:
    for _ in range(2):
        assert world.inside("cp", "state") == "none\n"
    old = [folder / OTHER for folder in (world.folder("cp"), world.report("cp"))]
    for folder in old:
        folder.mkdir(parents=True)
    for _ in range(2):
        world.inside("cp", "start")
        assert world.inside("cp", "state") == "none\n", "a start that was cut off would pass as one that was checked"
        assert not any(folder.exists() for folder in old), "recordings of old migrations would fill the node"
        assert steps_of(world) == ["step before"]
    assert (world.folder("cp") / "run").read_text() == f"{NAME}\n"
    world.log("cp", "p").write_text("1 p service service ok 1\n")
    world.log("cp", "silent").write_text("1 silent service service failed:ETIMEDOUT 1\n2 silent control control ok 1\n")
    for _ in range(2):
        assert world.inside("cp", "answered") == "p\n", "a prober that has no network would pass as one that measures"
        world.inside("cp", "mark", NAME="move w1")
        world.inside("cp", "touch")
    world.inside("cp", "probers", stdin="p\nq\n")
    assert world.inside("cp", "state") == "recording\n"
    for _ in range(2):
        world.inside("cp", "end")
        world.inside("cp", "stop")
        assert world.inside("cp", "state") == "recorded\n"
    assert steps_of(world) == ["step before", "step move w1", "step move w1", "prober p", "prober q", "step end"]
    for _ in range(2):
        world.inside("cp", "keep", stdin="{}\n")
        assert world.inside("cp", "state") == "reported\n" and world.inside("cp", "report") == "{}\n"


def test_a_mark_without_a_recording_does_nothing_and_needs_no_epoch(world: World) -> None:
    env = {"PATH": "/usr/bin:/bin", "STEP": "mark", "REPORT": str(world.report("cp")), "NAME": "takeover"}
    for _ in range(2):
        subprocess.run(["bash", str(SCRIPT)], env=env, check=True)
    assert not world.report("cp").exists(), "a step of an unmeasured migration would fail"
    world.inside("cp", "start")
    subprocess.run(["bash", str(SCRIPT)], env=env, check=True)
    assert steps_of(world) == ["step before", "step takeover"]


def test_only_the_control_plane_keeps_the_steps(world: World) -> None:
    world.inside("w1", "start")
    assert not (world.report("w1") / NAME / "steps").exists(), "the migration would begin twice in the report"
    assert (world.report("w1") / "run").read_text() == f"{NAME}\n"


@pytest.mark.parametrize("other", [OTHER, f"20270101T000000-{EPOCH}"])
def test_a_recording_of_another_migration_is_none_of_this_one(world: World, other: str) -> None:
    world.inside("cp", "start", RECORDING=other)
    assert world.inside("cp", "state") == "none\n", "this migration would be reported with what another one cost"
    world.inside("cp", "keep", stdin="{}\n", RECORDING=other)
    assert world.inside("cp", "state") == "none\n", "an epoch that comes again would give the old report"


def test_what_is_forgotten_is_not_reported(world: World) -> None:
    world.inside("cp", "start")
    for _ in range(2):
        world.inside("cp", "forget")
        assert world.inside("cp", "state") == "none\n", "an unmeasured migration would pass as one without a failure"


def test_a_line_that_was_cut_off_does_not_spoil_the_next_log(world: World) -> None:
    world.inside("cp", "start")
    world.log("cp", "a").write_text("1 a serv")
    world.log("cp", "b").write_text("2 b begin - - 0\n")
    lines = world.inside("cp", "lines").splitlines()
    assert "1 a serv" in lines and "2 b begin - - 0" in lines, "the time that a prober was away would be a gap"


def test_the_probers_that_are_not_done_are_named(world: World) -> None:
    world.inside("cp", "start")
    last = {"ended": "end - - 0\n", "done": "done - - 0\n", "goes-on": "beat - - 0\n", "half": "done - -"}
    for name, line in last.items():
        world.log("cp", name).write_text(f"1 {name} dns dns ok 1\n" * 99 + f"2 {name} {line}")
    assert world.inside("cp", "undone").split() == ["goes-on", "half"], "what fails in the last seconds would be lost"
    assert world.inside("w1", "undone") == ""


def test_what_is_no_step_or_no_name_is_refused(world: World) -> None:
    with pytest.raises(ToolError, match="unknown step"):
        world.inside("w1", "other")
    for name in ("../../etc", "a/b-1", "7", "-", ".-1"):
        with pytest.raises(ToolError, match="no name of a recording"):
            world.inside("w1", "state", RECORDING=name)


@pytest.mark.parametrize("step", ["answered", "undone", "lines"])
def test_root_follows_no_link_that_a_pod_has_laid(world: World, step: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "x.log").write_text("1 root service service ok 1\n")
    world.inside("cp", "start")
    (world.folder("cp") / NAME).symlink_to(secret)
    with pytest.raises(ToolError, match="is a link: refused"):
        world.inside("cp", step)
    (world.folder("cp") / NAME).unlink()
    world.log("cp", "x").symlink_to(secret / "x.log")
    with pytest.raises(ToolError, match="holds a link: refused"):
        world.inside("cp", step)


def test_root_writes_through_no_link_that_a_pod_has_laid(world: World, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    world.folder("cp").mkdir(parents=True)
    for name in ("run", "run.new", "run.probers", NAME, OTHER):
        (world.folder("cp") / name).symlink_to(precious)
    world.inside("cp", "start")
    world.inside("cp", "mark", NAME="x")
    world.inside("cp", "touch")
    world.inside("cp", "end")
    world.inside("cp", "keep", stdin="{}")
    world.inside("cp", "stop")
    assert precious.read_text() == "kept", "a Pod with the folder would write any file of the node"
    assert world.report("cp").stat().st_mode & 0o777 == 0o700


# traffic_record


def test_a_recording_begins_on_the_control_plane_last(world: World) -> None:
    traffic_record.verb(RECORD)
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


def test_a_beginning_that_was_cut_off_before_the_probers_answered_is_made_anew(world: World) -> None:
    world.broken = "cp probers"
    with pytest.raises(ToolError):
        traffic_record.verb(RECORD)
    world.broken = ""
    world.steps.clear()
    traffic_record.verb(RECORD)
    assert "cp start" in world.steps, "a network that answers nobody would be migrated as one that was checked"
    assert steps_of(world) == ["step before", "prober h", "prober p"], "nobody would miss a prober that left nothing"


def test_where_the_network_is_not_up_nothing_is_recorded(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.ready = "Unknown"
    traffic_record.verb(replace(RECORD, must_be_measured=False))
    assert "the network was not up when the migration began: not ready: cp\nso the" in capsys.readouterr().err
    assert world.steps == ["cp state", "cp unmeasured"]


def test_what_began_unmeasured_is_not_measured_from_its_middle_on(world: World) -> None:
    world.ready = "Unknown"
    needs = replace(RECORD, must_be_measured=False)
    traffic_record.verb(needs)
    world.ready = "True"
    traffic_record.verb(needs)
    assert not (world.folder("cp") / "run").exists(), "«not measured» would be followed by `measured: true`"
    report = json.loads(traffic_report.verb(replace(REPORT, enforces_budget=False)))
    assert report["measured"] is False and "not ready: cp" in report["why"]


NOT_UP = "error: timed out waiting for the condition"


def test_a_strategy_that_has_to_be_measured_does_not_begin_where_a_node_is_not_ready(world: World) -> None:
    world.ready = "Unknown"
    with pytest.raises(StepError, match="not ready: cp\nthis strategy goes by what is measured"):
        traffic_record.verb(RECORD)
    assert world.steps == ["cp state"], "a later `up` would not begin to measure"


def test_where_no_migration_is_due_nothing_is_recorded_and_nothing_is_claimed(world: World) -> None:
    traffic_record.verb(replace(RECORD, due=False))
    assert world.steps == ["cp state"]
    report = json.loads(traffic_report.verb(replace(REPORT, due=False)))
    assert report == {
        "measured": False,
        "withinBudget": None,
        "why": "nothing was recorded: no migration was under way",
    }, "a cluster that nothing was done to would have a clean bill"


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
        f"{why}\nthis strategy goes by what is measured; mend that, or set migration:strategy to recreate"
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
    left = {"name": "gone", "deletionTimestamp": "2025-01-01T00:00:00Z"}
    world.probers.append(world.probers[1] | {"metadata": world.probers[1]["metadata"] | left})
    traffic_record.verb(RECORD)
    assert [step for step in steps_of(world) if step.startswith("prober")] == ["prober h", "prober p"]


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

FAILED = "{0} p service service failed:ETIMEDOUT 1\n"
LATER = 4_000_000_000_000  # ms; after each recording's end


def recorded(world: World, *, failed: bool = False, done: bool = True) -> None:
    traffic_record.verb(RECORD)
    begun = int((world.report("cp") / NAME / "steps").read_text().split()[0])
    for name, prober in (("cp", "h"), ("w1", "p")):
        text = f"{begun - 1} {prober} begin - - 200\n{begun + 5} {prober} service service ok 1\n"
        text += FAILED.format(begun + 9) if failed and prober == "p" else ""
        world.log(name, prober).write_text(text + (f"{LATER} {prober} done - - 0\n" if done else ""))
    world.steps.clear()


def test_the_report_is_kept_and_printed_as_it_was_the_next_time(world: World) -> None:
    recorded(world, failed=False)
    first = traffic_report.verb(REPORT)
    report = json.loads(first)
    assert (report["measured"], report["withinBudget"], report["requests"]) == (True, True, 2)
    assert report["strategy"] == "rolling" and [step["step"] for step in report["steps"]] == ["before"]
    assert first.count("\n") == 1
    assert traffic_report.verb(replace(REPORT, strategy="another", max_failures=9)) == first


def test_the_report_says_what_became_of_the_pods_and_a_silent_api_costs_it_nothing_else(world: World) -> None:
    recorded(world, failed=False)
    status = world.probers[1]["status"]
    status["containerStatuses"] = [{"name": "main", "restartCount": 2}]
    said = json.loads(traffic_report.verb(REPORT))["pods"]
    assert (said["before"], said["kept"]) == (1, 0) and said["restarted"] == ["cni-migration/p (0 to 2 restarts)"], said
    (world.report("cp") / NAME / "report.json").unlink()
    world.broken = "pods"
    report = json.loads(traffic_report.verb(REPORT))
    assert report["measured"] and report["pods"] == {"why": "pods gave no answer"}, "no answer would pass for calm"


def test_what_is_beyond_the_budget_is_reported_and_fails_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(world, failed=True)
    with pytest.raises(StepError) as failed:
        traffic_report.verb(REPORT)
    printed = capsys.readouterr().out
    why = json.loads(printed)["why"]
    assert "1 of 3 new connections failed" in why
    assert str(failed.value) == f"the migration is done, but it interrupted more than migration.budget allows: {why}"
    assert traffic_report.verb(REPORT) == printed, "a migration that is done would fail every `up` from now on"


def test_a_strategy_that_enforces_no_budget_is_only_reported(world: World) -> None:
    recorded(world, failed=True)
    assert json.loads(traffic_report.verb(replace(REPORT, enforces_budget=False)))["withinBudget"] is False


def test_nothing_recorded_is_told_as_that(world: World) -> None:
    assert json.loads(traffic_report.verb(replace(REPORT, enforces_budget=False))) == {
        "measured": False,
        "withinBudget": None,
        "why": "nothing was recorded when the migration began",
    }


def test_a_strategy_that_enforces_its_budget_does_not_take_unmeasured_for_kept_and_fails_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StepError, match=r"what it interrupted was not measured, .*The next up ends well"):
        traffic_report.verb(REPORT)
    printed = capsys.readouterr().out
    assert json.loads(printed)["withinBudget"] is None, "what nobody measured would pass the budget"
    assert traffic_report.verb(REPORT) == printed, "a migration that is done would fail every `up` from now on"


def test_a_prober_that_is_not_done_or_has_left_nothing_makes_the_recording_unmeasured(world: World) -> None:
    recorded(world, done=False)
    world.log("w1", "p").unlink()
    with pytest.raises(StepError, match=r"p recorded nothing; h said nothing of its end.*; on w1 no prober"):
        traffic_report.verb(REPORT)


def test_steps_that_a_pod_has_written_are_none(world: World) -> None:
    recorded(world)
    with world.log("w1", "p").open("a") as log:
        log.write(f"{LATER} step end\n{LATER} step mine\n")
    assert [step["step"] for step in json.loads(traffic_report.verb(REPORT))["steps"]] == ["before"]


@pytest.mark.parametrize("step", ["cp state", "cp end", "w1 stop", "w1 undone", "w1 lines", "cp steps", "cp keep"])
def test_a_report_that_was_cut_off_anywhere_is_made_by_the_next_up(world: World, step: str) -> None:
    recorded(world, failed=False)
    world.broken = step
    with pytest.raises(StepError, match="gave no answer"):
        traffic_report.verb(REPORT)
    world.broken = ""
    assert json.loads(traffic_report.verb(REPORT))["requests"] == 2, "what it cost would never be known"


def test_the_report_waits_for_what_is_certain_only_after_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(world, done=False)
    inner = world.on_node
    looks: list[str] = []

    def slow(name: str, script: str, *, env: Mapping[str, str], stdin: str = "") -> str:
        if env["STEP"] == "undone" and name == "w1" and looks.append(name) is None and len(looks) == 3:
            begun = int((world.report("cp") / NAME / "steps").read_text().split()[0])
            with world.log("w1", "p").open("a") as log:
                log.write(f"{begun + 3001} p service service failed:TimeoutError 3000\n{LATER} p done - - 0\n")
            with world.log("cp", "h").open("a") as log:
                log.write(f"{LATER} h done - - 0\n")
        return inner(name, script, env=env, stdin=stdin)

    monkeypatch.setattr(recordings, "on_node", slow)
    monkeypatch.setattr(traffic_report, "_PATIENCE", 30)
    report = json.loads(traffic_report.verb(replace(REPORT, enforces_budget=False)))
    assert report["failures"] == 1 and report["measured"], "failures of the last three seconds would be lost"


def test_a_recording_s_name_is_of_the_cluster_s_life_and_a_plain_word() -> None:
    assert recordings.name_of(GENERATION, "7") == NAME
    assert recordings.name_of("../x y", "7") == "xy-7", "a marker that somebody wrote would name another folder"
