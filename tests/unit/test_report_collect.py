"""What a report takes along from a cluster that is there only now."""

from __future__ import annotations

import base64
from typing import Any, cast

import pytest

from report import collect
from steps.doors.kubectl import Kubectl
from steps.doors.probe import Probe
from steps.names import PROBE
from steps.running import StepError


class World:
    """Probes on the nodes that it is made with, whose pings have as many answers as it says."""

    def __init__(self, *nodes: str, answers: int = 3) -> None:
        self.nodes, self.answers = nodes, answers
        self.asked: list[tuple[str, ...]] = []

    def find(self, _: object, app: str) -> dict[str, Probe]:
        return {
            name: Probe(app=app, node=name, pod=f"{app}-{name}", address=f"10.0.{number}.2")
            for number, name in enumerate(self.nodes)
        }

    def ask(self, _: object, probe: Probe, script: str, *args: str, env: dict[str, str], timeout: float) -> str:
        self.asked.append((probe.pod, script, *args, env.get("FOLDER", "")))
        match script, args[0]:
            case "pcap", "start":
                return "/tmp/x\n"
            case "pcap", _:
                return base64.b64encode(b"packets").decode()
            case _:
                return f"{args[0]} 3 {self.answers}\n"


def captured(world: World, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(collect, "probe", cast("Any", world))
    return collect.capture(cast("Kubectl", world))


def test_pings_of_one_node_are_captured_on_another_while_they_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("a", "b", "c")
    assert captured(world, monkeypatch) == b"packets"
    assert world.asked == [
        ("probe-host-b", "pcap", "start", ""),
        (f"{PROBE}-a", "send", "10.0.1.2", ""),
        ("probe-host-b", "pcap", "end", "/tmp/x"),
    ], "the file would show another network, or none"


def test_one_node_and_pings_without_an_answer_are_no_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepError, match="two nodes, and they run on a"):
        captured(World("a"), monkeypatch)
    world = World("a", "b", answers=2)
    with pytest.raises(StepError, match="not all pings"):
        captured(world, monkeypatch)
    assert world.asked[-1][2] == "end", "tcpdump's file would stay in the probe"


def test_whoever_types_it_wrong_reads_how_it_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert collect.main(["cilium"]) == 1 and "usage" in capsys.readouterr().err
