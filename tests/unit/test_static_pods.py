"""Static Pods get a new sandbox on their node, once, and are waited for by what the API says of that one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from steps import pods_static
from steps.doors.kubectl import Kubectl, Object
from steps.pods import pod_from
from steps.running import StepError

SCRIPT = Path(pods_static.__file__).parent / "on_node" / "sandboxes.sh"
BEFORE, AFTER = 1767225600, 1767312000  # 2026-01-01 and 2026-01-02, as the runtime counts
CUTOFF = "2026-01-01T12:00:00Z"


def box(name: str, made: int, *, state: str = "SANDBOX_READY", namespace: str = "a") -> Object:
    return {
        "id": f"{name}-{made}",
        "metadata": {"name": name, "namespace": namespace},
        "state": state,
        "createdAt": f"{made}000000123",
    }


def mirror(name: str = "static", *, ready: bool = True, started: str = "2026-01-01T00:00:01Z") -> Object:
    return {
        "metadata": {
            "namespace": "a",
            "name": name,
            "uid": name,
            "creationTimestamp": "2025-12-31T00:00:00Z",
            "annotations": {"kubernetes.io/config.mirror": "x"},
            "ownerReferences": [{"kind": "Node", "uid": "n1", "controller": True}],
        },
        "spec": {"nodeName": "n", "terminationGracePeriodSeconds": 300},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"state": {"running": {"startedAt": started}}}],
        },
    }


class World:
    """A node with sandboxes, and the API's word on one Pod. With `kubelet` a new sandbox comes for each that goes."""

    def __init__(self, *boxes: Object, kubelet: bool = True) -> None:
        self.boxes = list(boxes)
        self.kubelet = kubelet
        self.shown = [mirror(), mirror(), mirror(started="2026-01-02T00:00:05Z")]
        self.renewed: list[str] = []
        self.graces: list[str] = []
        self.garbage = ""

    def on_node(self, node: str, script: str, *ids: str, env: dict[str, str]) -> str:
        assert (node, script) == ("n", "sandboxes")
        if env["STEP"] == "list":
            return self.garbage or json.dumps({"items": self.boxes})
        self.renewed += ids
        self.graces.append(env["GRACE"])
        names = {each["metadata"]["name"] for each in self.boxes if each["id"] in ids}
        self.boxes = [each for each in self.boxes if each["id"] not in ids]
        if self.kubelet:
            self.boxes += [box(name, AFTER) for name in names]
        return ""

    def object(self, kind: str, name: str, *, namespace: str) -> Object | None:
        return self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]


def renew(world: World, monkeypatch: pytest.MonkeyPatch, *items: Object) -> None:
    def sleep(_: float) -> None:
        return None

    monkeypatch.setattr(pods_static, "on_node", world.on_node)
    monkeypatch.setattr("time.sleep", sleep)
    pods = [pod_from(item) for item in items or (mirror(),)]
    pods_static.renew_static_pods(cast("Kubectl", world), pods, before=CUTOFF)


def test_the_sandbox_of_the_old_network_is_made_anew_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(box("static", BEFORE), box("other", BEFORE), box("static", BEFORE, namespace="b"))
    renew(world, monkeypatch)
    assert world.renewed == [f"static-{BEFORE}"], "a static Pod would be Running, Ready, and dead"
    assert world.graces == ["60"], "its containers would be killed at once, or the step wait for five minutes"
    assert len(world.shown) == 1, "what the API shows of the old containers was taken for the new ones"


def test_a_second_up_does_not_take_the_new_sandbox_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(box("static", AFTER), box("static", BEFORE, state="SANDBOX_NOTREADY"))
    renew(world, monkeypatch)
    assert world.renewed == [], "each `up` would interrupt the Pod once more"


def test_a_static_pod_that_does_not_come_back_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pods_static, "_TO_COME", 0)
    with pytest.raises(StepError, match="not back within 0 s: a/static"):
        renew(World(box("static", BEFORE), kubelet=False), monkeypatch)
    dead = World(box("static", AFTER))
    dead.shown = [mirror(ready=False)]
    with pytest.raises(StepError, match="not back within 0 s: a/static"):
        renew(dead, monkeypatch)


def test_one_that_was_not_ready_before_is_not_waited_for_after(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(box("static", BEFORE))
    world.shown = [mirror(ready=False)]
    renew(world, monkeypatch, mirror(ready=False))
    assert world.renewed == [f"static-{BEFORE}"]


@pytest.mark.parametrize("garbage", ["no JSON", "{}", '{"items": [{"state": "SANDBOX_READY"}]}', "[]"])
def test_a_list_of_sandboxes_that_cannot_be_read_is_no_empty_node(
    monkeypatch: pytest.MonkeyPatch, garbage: str
) -> None:
    world = World(box("static", BEFORE))
    world.garbage = garbage
    with pytest.raises(StepError, match="list of sandboxes cannot be read"):
        renew(world, monkeypatch)


def script(folder: Path, crictl: str, **env: str) -> subprocess.CompletedProcess[str]:
    tool = folder / "crictl"
    tool.write_text(f'#!/bin/bash\necho "$*" >>{folder}/calls\n{crictl}\n')
    tool.chmod(0o755)
    told: dict[str, Any] = {"PATH": f"{folder}:{os.environ['PATH']}", **env}
    return subprocess.run(
        ["bash", "-c", SCRIPT.read_text(), "sandboxes", "s1"], env=told, capture_output=True, text=True, check=False
    )


def test_the_script_ends_the_containers_and_then_the_sandbox(tmp_path: Path) -> None:
    done = script(tmp_path, "case $* in *' ps '*) printf 'c1\\nc2\\n' ;; esac", STEP="renew", GRACE="7")
    assert done.returncode == 0 and done.stdout == "", done.stderr
    asked = [line.removeprefix("--timeout 60s ") for line in (tmp_path / "calls").read_text().splitlines()]
    assert asked == ["ps --quiet --pod s1", "stop --timeout 7 c1", "stop --timeout 7 c2", "stopp s1", "rmp s1"]


def test_the_script_fails_where_the_runtime_does_not_answer(tmp_path: Path) -> None:
    done = script(tmp_path, "case $* in *' ps '*) exit 1 ;; esac", STEP="renew", GRACE="7")
    assert done.returncode != 0, "containers would be killed unasked"
    assert "stopp" not in (tmp_path / "calls").read_text()
    assert script(tmp_path, "exit 1", STEP="list").returncode != 0, "a silent runtime would pass as an empty node"
