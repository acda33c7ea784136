"""Who asks a cluster from outside of it: what the prober writes, when it begins and goes, and what is told of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steps import traffic_record, traffic_report
from steps.doors import docker
from steps.doors import outside as door
from steps.doors.kubectl import Object
from steps.doors.process import ToolError
from steps.findings.outside import outside_of
from steps.names import TRAFFIC_OUTSIDE
from steps.running import StepError
from unit.test_recording import LATER, NAME, RECORD, REPORT, World, steps_of, world
from unit.test_traffic_prober import NOBODY, PROGRAM, Traffic, listens, traffic, until

__all__ = ["traffic", "world"]  # fixtures

OUTSIDE = PROGRAM.with_name("outside.py")


# outside.py


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for program in started:
        program.kill()
        program.wait()


def ask(folder: Path, targets: str, *, idle: float = 600) -> subprocess.Popen[bytes]:
    """The real prober, as the container starts it, but for how long it goes on without an answer."""
    start = f"import outside as it; it.IDLE = {idle}; it.main()"
    told = {"FOLDER": str(folder), "HERTZ": "20", "TARGETS": targets, "PYTHONPATH": str(OUTSIDE.parent)}
    told |= {"PROBER": TRAFFIC_OUTSIDE, "RECORDING": "g-7"}
    return subprocess.Popen([sys.executable, "-c", start], env=os.environ | told)


def record_of(folder: Path) -> list[list[str]]:
    log = folder / "g-7" / f"{TRAFFIC_OUTSIDE}.log"
    return [line.split() for line in log.read_text().rpartition("\n")[0].splitlines()] if log.exists() else []


def heard(folder: Path, kind: str, target: str, outcome: str) -> int:
    return sum(line[2:4] == [kind, target] and line[4].startswith(outcome) for line in record_of(folder))


def test_each_node_is_asked_and_keeps_a_connection_until_somebody_ends_it(
    traffic: Traffic, asking: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    traffic.start("s", "serve")
    until(lambda: listens(traffic.port), "the server does not start")
    asking.append(ask(tmp_path / "own", f"a=127.0.0.1:{traffic.port} b=127.0.0.1:{NOBODY}"))
    for kind, target, outcome in (("service", "a", "ok"), ("held", "a", "ok"), ("service", "b", "failed")):
        until(lambda about=(kind, target, outcome): heard(tmp_path / "own", *about) >= 3, f"{kind} {target} {outcome}")
    asking[0].send_signal(signal.SIGTERM)
    assert asking[0].wait(20) == 0
    lines = record_of(tmp_path / "own")
    assert (lines[0][2], lines[-1][2]) == ("begin", "done"), "nobody could say whether the record is whole"
    assert lines[0][5] == "50", "who asks would never be known to have starved"
    assert heard(tmp_path / "own", "control", "control", "ok"), "its own want of CPU would be the network's"
    assert not heard(tmp_path / "own", "service", "a", "failed"), "one node's outage would be another's"
    assert not heard(tmp_path / "own", "held", "a", "broken"), "its own end would be the network's"


def test_a_cluster_that_has_gone_is_not_asked_for_ever(asking: list[subprocess.Popen[bytes]], tmp_path: Path) -> None:
    asking.append(ask(tmp_path, f"a=127.0.0.1:{NOBODY}", idle=1))
    assert asking[0].wait(20) == 0, "a cluster that was deleted by hand would leave its load on for ever"
    assert record_of(tmp_path)[-1][2] == "done"


# the report

STEPS = ("1000 step before", "1000 prober p", "5000 step move w", "9000 step end")


def told(*lines: str, inside: Sequence[str] = (), max_gap_ms: int = 1000) -> dict[str, Any]:
    whole = ["900 traffic-outside begin - - 50", *lines, "9500 traffic-outside done - - 0"]
    return outside_of(
        sorted(whole, key=lambda line: int(line.split()[0])), steps=STEPS, inside=inside, max_gap_ms=max_gap_ms
    )


def test_what_failed_and_broke_is_told_by_its_step_and_its_node() -> None:
    found = told(
        "1500 traffic-outside service w ok 2",
        "2500 traffic-outside service w ok 2",
        "5500 traffic-outside service w failed:ETIMEDOUT 100",
        "6000 traffic-outside service cp ok 2",
        "1500 traffic-outside held w ok 1",
        "5600 traffic-outside held w broken 100",
        "1500 traffic-outside held cp ok 1",
        "1900 traffic-outside held cp ok 1",
    )
    assert (found["requests"], found["failures"], found["connectionsBroken"]) == (4, 1, 1)
    assert found["longestGapSeconds"] == 1.0
    assert found["steps"] == [{"step": "move w", "failures": 1, "connectionsBroken": 1}], (
        "nobody knew which step it was"
    )
    worker, control = found["nodes"]["w"], found["nodes"]["cp"]
    assert (worker["requests"], worker["failures"], worker["causes"]) == (3, 1, ["ETIMEDOUT"]), "by whose port?"
    assert (worker["echoes"], worker["connectionsBroken"]) == (1, 1)
    assert (control["requests"], control["failures"], control["causes"]) == (1, 0, [])
    assert (control["echoes"], control["connectionsBroken"], control["longestGapSeconds"]) == (2, 0, 0.4)


def test_servers_without_cpu_are_no_gap_from_outside_either() -> None:
    inside = ["900 s begin - - 200", *(f"{ms} s control control ok 1" for ms in (1000, 1200, 3000, 3200))]
    inside += ["1100 h pod s ok 1", "1150 h service service failed:EPERM 1"]
    lines = ["1200 traffic-outside service w ok 2", "3100 traffic-outside service w ok 2"]
    assert told(*lines)["longestGapSeconds"] == 1.9
    found = told(*lines, inside=inside)
    assert (found["longestGapSeconds"], found["starvedSeconds"]) == (0.3, 1.6), "a busy machine would be the network's"
    assert (found["requests"], found["failures"]) == (2, 0), "what the cluster's own probers saw is told elsewhere"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "recorded nothing"),
        (
            ["900 traffic-outside begin - - 50", "1500 traffic-outside service w ok 2"],
            "said nothing of its end",
        ),
        (
            ["900 traffic-outside begin - - 50", "1500 traffic-outside done - - 0"],
            "gave the recording up",
        ),
    ],
)
def test_a_record_that_is_not_whole_is_no_calm(lines: list[str], why: str) -> None:
    found = outside_of(lines, steps=["1000 step before", "90000 step end"], inside=(), max_gap_ms=1000)
    assert list(found) == ["why"] and f"traffic-outside {why}" in found["why"]


def test_a_record_without_a_request_is_no_calm() -> None:
    assert told() == {"why": "no request was recorded"}


# when it begins and goes


class Engine:
    """docker, with one container at most. `log` is what it has written, `broken` the verb that fails, and how; `ended`:
    it does not stay running."""

    def __init__(self) -> None:
        self.labels: list[str] | None = None
        self.log: list[str] = []
        self.broken: dict[str, str] = {}
        self.did: list[str] = []
        self.created: Sequence[str] = ()
        self.ended = False

    def run(self, command: Sequence[str], *, timeout: float = 0, show: bool = False) -> str:
        verb = command[1]
        if verb in self.broken:
            raise ToolError(f"docker {verb} failed", self.broken[verb])
        if verb == "ps":
            wanted = {word.removeprefix("label=") for word in command if word.startswith("label=")}
            assert "cni-migration.outside=c" in wanted, f"another cluster's would be taken: {command}"
            there = self.labels is not None and wanted <= set(self.labels)
            return "id\n" if there and ("--all" in command or not self.ended) else ""
        self.did.append(verb)
        if verb == "create":
            assert self.labels is None, "its name is taken"
            self.created = command
            self.labels = [word.removeprefix("--label=") for word in command if word.startswith("--label=")]
        elif verb == "rm":
            self.labels = None
        elif verb == "cp" and command[2].startswith("id:"):
            assert command[2] == f"id:/tmp/traffic/{NAME}/traffic-outside.log"
            if not self.log:
                raise ToolError("failed", f"Error: No such container:path: {command[2]}")
            Path(command[3]).write_text("".join(f"{line}\n" for line in self.log))
        return ""


@pytest.fixture
def engine(world: World, monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(door, "run", made.run)
    monkeypatch.setattr(docker, "run", made.run)

    def attachments(_: Sequence[str]) -> list[docker.Attachment]:
        other, nodes = ("192.168.7.0/24", "172.18.0.0/16")
        return [
            docker.Attachment(network=name, subnet=docker.IPv4Network(subnet))
            for name, subnet in (("other", other), ("kind", nodes))
        ]

    monkeypatch.setattr(docker, "attachments", attachments)
    status = {"addresses": [{"type": "InternalIP", "address": "172.18.0.2"}]}
    nodes = world.objects

    def objects(kind: str, **how: str) -> list[Object]:
        found = nodes(kind, **how)
        return found if kind == "pods" else [{**item, "status": {**item["status"], **status}} for item in found]

    monkeypatch.setattr(world, "objects", objects)
    return made


ASKED = replace(RECORD, outside=True, image="probe:1", hertz="5")
WANTED = replace(REPORT, outside=True)
ANSWERED = "900 traffic-outside service cp ok 1"


def test_it_asks_each_node_by_its_port_before_the_recording_begins(world: World, engine: Engine) -> None:
    engine.log = [ANSWERED]
    traffic_record.verb(ASKED)
    assert engine.did == ["create", "cp", "start", "cp"] and engine.labels
    assert "--env=TARGETS=cp=172.18.0.2:30085" in engine.created
    assert "--network=kind" in engine.created, "it would be on a network that has no node's address"
    assert list(engine.created[-2:]) == ["probe:1", "/cni-migration/outside.py"]
    assert "step before" in steps_of(world)


@pytest.mark.parametrize(
    ("broken", "log", "says"),
    [
        ({"create": "Unable to find image\npull access denied"}, [], "does not start (pull access denied): mend that"),
        ({}, [], "node port 30085 has no answer within 0 s by cp: mend that"),
        ({}, ["900 traffic-outside service cp failed:ETIMEDOUT 1"], "has no answer within 0 s by cp: mend that"),
    ],
)
def test_where_it_has_no_answer_a_strategy_that_goes_by_it_does_not_begin(
    world: World, engine: Engine, broken: dict[str, str], log: list[str], says: str
) -> None:
    engine.broken, engine.log = broken, log
    with pytest.raises(StepError) as failed:
        traffic_record.verb(ASKED)
    first = str(failed.value).splitlines()[0]
    assert says in first and "set traffic.outside to false" in first, "who reads it would not know what to do"
    assert engine.labels is None, "a container would ask for ever for a recording that never began"
    assert "w1 start" not in world.steps


def test_a_program_that_ends_at_once_is_told_from_a_port_that_is_silent(world: World, engine: Engine) -> None:
    engine.ended = True
    with pytest.raises(StepError, match="since its container, of probe:1, has ended"):
        traffic_record.verb(ASKED)


def test_a_question_to_the_engine_that_failed_is_no_reason_to_go_on_unmeasured(world: World, engine: Engine) -> None:
    engine.broken = {"ps": "the engine does not answer"}
    with pytest.raises(ToolError, match="docker ps failed"):
        traffic_record.verb(replace(ASKED, must_be_measured=False))


def test_nothing_is_started_where_nobody_asked_for_it_and_what_another_left_goes(world: World, engine: Engine) -> None:
    traffic_record.verb(RECORD)
    assert engine.did == []
    (world.report("cp") / NAME / "steps").unlink()
    engine.labels = ["cni-migration.outside=c", "cni-migration.recording=another-6"]
    traffic_record.verb(RECORD)
    assert engine.did == ["rm"], "the prober of a migration that was given up would ask on"


def test_where_it_has_ended_an_up_that_goes_on_says_so(
    world: World, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.log = [ANSWERED]
    traffic_record.verb(ASKED)
    capsys.readouterr()
    traffic_record.verb(ASKED)
    assert "nobody asks" not in capsys.readouterr().err
    engine.ended = True
    traffic_record.verb(ASKED)
    assert "nobody asks from outside of the cluster" in capsys.readouterr().err, "only the report would say so"


def recorded(world: World, engine: Engine, *, failed: bool = False) -> None:
    engine.log = [ANSWERED]
    traffic_record.verb(ASKED)
    begun = int((world.report("cp") / NAME / "steps").read_text().split()[0])
    for name, prober in (("cp", "h"), ("w1", "p")):
        line = f"{begun + 5} {prober} service service {'failed:EPERM' if failed else 'ok'} 1\n"
        last = f"{LATER} {prober} done - - 0\n"
        world.log(name, prober).write_text(f"{begun - 1} {prober} begin - - 200\n{line}{last}")
    engine.log = [
        f"{begun - 1} traffic-outside begin - - 50",
        f"{begun} traffic-outside service cp failed:ETIMEDOUT 0",
        f"{LATER} traffic-outside done - - 0",
    ]
    engine.did.clear()


def test_what_it_saw_is_in_the_report_and_no_budget_is_held_against_it(world: World, engine: Engine) -> None:
    recorded(world, engine)
    printed = traffic_report.verb(WANTED)
    report = json.loads(printed)
    assert report["withinBudget"] is True and report["failures"] == 0
    assert report["outside"]["failures"] == 1, "a user's clients would have failed, and nobody was told"
    assert engine.did == ["stop", "cp", "rm"], "it would go on beside the cluster"
    engine.labels = ["cni-migration.outside=c", "cni-migration.recording=any"]
    assert traffic_report.verb(WANTED) == printed
    assert engine.labels is None, "what an up that was cut off has left would stay"


def test_its_record_stays_until_the_report_is_kept(world: World, engine: Engine) -> None:
    recorded(world, engine)
    world.broken = "cp keep"
    with pytest.raises(ToolError):
        traffic_report.verb(WANTED)
    assert engine.labels, "the next up would report without what was seen from outside"


def test_a_container_that_does_not_go_hides_no_budget_that_was_broken(
    world: World, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(world, engine, failed=True)
    engine.broken = {"rm": "the engine does not answer"}
    with pytest.raises(StepError, match=r"interrupted more than migration\.budget allows"):
        traffic_report.verb(WANTED)
    assert "is still there: docker rm failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lost", "why"),
    [("stop", "docker stop failed"), ("cp", "docker cp failed"), ("", "nobody asked from outside")],
)
def test_a_record_that_is_lost_costs_the_report_nothing_else(world: World, engine: Engine, lost: str, why: str) -> None:
    recorded(world, engine)
    if lost:
        engine.broken = {lost: "open /var/lib/docker: no such file or directory"}
    else:
        engine.labels = None
    report = json.loads(traffic_report.verb(WANTED))
    assert report["measured"] and why in report["outside"]["why"], "nothing seen would pass for nothing broken"


@pytest.mark.parametrize("labels", [None, ["cni-migration.outside=c", "cni-migration.recording=another-6"]])
def test_a_report_that_nobody_wanted_it_in_has_nothing_of_it(
    world: World, engine: Engine, labels: list[str] | None
) -> None:
    recorded(world, engine)
    engine.labels = labels
    assert "outside" not in json.loads(traffic_report.verb(REPORT)), "another migration's would be told as this one's"
