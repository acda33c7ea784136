"""When an agent has gone from a node: by the API nobody may start it any more, and by the runtime it does not run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from steps import nodes
from steps.doors.kubectl import Object
from steps.running import StepError
from unit.handover_world import SCRIPTS, path_with

AGENT = "k8s-app=cilium"


class Cluster:
    """`looks` are the answers of the API, one after the other; `asked` is what the runtime was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: list[Object]) -> None:
        self.looks = list(looks)
        self.asked: list[tuple[str, ...]] = []
        monkeypatch.setattr(nodes, "on_node", self.on_node)
        monkeypatch.setattr(nodes.time, "sleep", self.sleep)

    def objects(self, kind: str, *, selector: str, fields: str) -> list[Object]:
        assert (kind, fields) == ("pods", "spec.nodeName=w")
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def on_node(self, name: str, script: str, *labels: str, env: dict[str, str]) -> str:
        assert (name, script) == ("w", "gone") and float(env["SECONDS_MAX"]) > 0
        self.asked.append(labels)
        return ""

    def sleep(self, _: float) -> None: ...


def agent(state: str = "running", **metadata: str) -> Object:
    statuses: list[dict[str, Any]] = [{"state": {state: {}}}] if state else []
    name = {"namespace": "kube-system", "name": "cilium-x"}
    return {"metadata": {**name, **metadata}, "status": {"containerStatuses": statuses}}


DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def gone(cluster: Cluster, *labels: str) -> None:
    kubectl: Any = cluster
    nodes.await_gone(kubectl, "w", *labels)


def test_a_pod_that_is_only_waited_for_by_the_kubelet_s_housekeeping_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, [agent("terminated", **DELETED)])
    gone(cluster, AGENT, "app=flannel")
    assert cluster.asked == [(AGENT, "app=flannel")], "an agent that still runs would put back what is taken away"


@pytest.mark.parametrize(
    "first",
    [agent(), agent("terminated"), agent(**DELETED), agent("waiting", **DELETED), agent("", **DELETED)],
    ids=["runs", "ended, and is started again", "ends", "its image is pulled", "its sandbox is made"],
)
def test_a_pod_that_may_still_be_started_is_waited_for_and_the_runtime_asked_again(
    monkeypatch: pytest.MonkeyPatch, first: Object
) -> None:
    cluster = Cluster(monkeypatch, [first], [])
    gone(cluster, AGENT)
    assert cluster.looks == [[]] and len(cluster.asked) == 2, "it would run behind the answer"


def test_a_pod_that_stays_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_GONE", 1e-9)
    cluster = Cluster(monkeypatch, [agent()])
    with pytest.raises(StepError, match="kube-system/cilium-x"):
        gone(cluster, AGENT)


@pytest.mark.parametrize(("crictl", "code"), [("true", 0), ("echo 1234", 1), ("exit 1", 1)])
def test_the_runtime_s_silence_is_no_pod_that_has_gone(tmp_path: Path, crictl: str, code: int) -> None:
    environment = {"PATH": path_with(tmp_path, crictl=crictl), "NODE": "w", "SECONDS_MAX": "0"}
    command = ["bash", "-c", (SCRIPTS / "gone.sh").read_text(), "gone", AGENT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == code, f"an agent that runs would be taken for one that has gone: {done.stderr}"
