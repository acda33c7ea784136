"""pipeline/drift.sh as one types it, with stand-ins for pulumi, docker, kind, kubectl and helm that fail on every
write, and facts.sh with stand-ins for the tools of a node."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.drift import Needs, drift
from pipeline.drift_engine import engine_findings
from pipeline.drift_promise import kept_from
from pipeline.drift_report import findings_from
from steps.doors.looking import Looking
from steps.running import StepError
from unit.drift_world import KEPT, MEASURED, NODES, World, world

ROOT = Path(__file__).parents[2]
TOOLS = ("pulumi", "docker", "kind", "kubectl", "helm")
CONFIG = {
    "cni-migration:cni": {"value": "cilium", "secret": False},
    "cni-migration:cluster": {"value": '{"name":"c"}', "objectValue": {"name": "c"}, "secret": False},
    "cni-migration:cilium": {"value": '{"values":{"cluster":{"name":"hunter2"}}}', "secret": True},
}
STATE = {
    "version": 3,
    "deployment": {
        "resources": [
            {"urn": "urn:x::p::t::migration-claim", "inputs": {"triggers": [KEPT.generation, "3", "cilium"]}},
            {"urn": "urn:x::p::t::verification-measure", "modified": MEASURED},
        ]
    },
}
MARKER = {"stack": "s", "cni": "cilium", "generation": KEPT.generation, "epoch": "3", "phase": "ready"}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A folder of stand-ins, and what they are to answer."""

    folder: Path

    def answer(self, name: str, what: Any) -> None:
        (self.folder / "answers" / name).write_text(what if isinstance(what, str) else json.dumps(what))

    def read(self, name: str) -> Any:
        return json.loads(self.read_text(name))

    def read_text(self, name: str) -> str:
        return (self.folder / "answers" / name).read_text()

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "DESK": str(self.folder)}
        env.pop("CNI_MIGRATION_SITE", None)
        command = [str(ROOT / "pipeline" / "drift.sh"), *args]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    at = Desk(folder=tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "answers").mkdir()
    for name in TOOLS:
        tool = tmp_path / "bin" / name
        tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/tests/unit/drift_tools.py" {name} "$@"\n')
        tool.chmod(0o755)
    clean = world("cilium", cilium={"values": {"cluster": {"name": "hunter2"}}})
    assert clean.helm is not None
    at.answer("config", CONFIG)
    at.answer("state", STATE)
    at.answer("refresh", {"steps": [{"op": "refresh", "urn": "urn:x::p::t::flannel-daemonset"}]})
    at.answer("marker", MARKER)
    at.answer("objects", [*clean.nodes, *clean.pods, *clean.workloads, *clean.services])
    at.answer("configmaps", clean.config_maps)
    at.answer("kinds", [{"kind": "CustomResourceDefinition", "metadata": {"name": name}} for name in clean.kinds])
    at.answer("admission", clean.admission)
    status = {"info": {"status": "deployed"}, "version": 1, "config": dict(clean.helm.values)}
    at.answer("status", {**status, "manifest": clean.helm.manifest})
    for name in NODES:
        at.answer(f"clean-{name}", "\n".join(clean.left[name]))
        at.answer(f"facts-{name}", "\n".join(clean.said[name]))
    return at


def test_a_cluster_as_promised_ends_with_0_and_nothing_was_written(desk: Desk, tmp_path: Path) -> None:
    done = desk.run("org/p/s", "--json", str(tmp_path / "report.json"))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert done.stdout == "stack s, cluster c: as promised\n"
    report = json.loads((tmp_path / "report.json").read_text())
    assert report == {"stack": "s", "cluster": "c", "verdict": "clean", "findings": [], "unasked": []}
    assert {call[0] for call in desk.calls()} == set(TOOLS), "the stand-ins were not asked, so this proves nothing"
    verbs = {call[1] for call in desk.calls() if call[0] == "pulumi"}
    assert verbs == {"stack", "config", "refresh"}, f"another command of the engine's: {verbs}"


def test_drift_ends_with_2_its_text_and_its_json_and_shows_no_secret(desk: Desk, tmp_path: Path) -> None:
    status = desk.read("status")
    status["config"]["cluster"]["name"] = "planted"
    desk.answer("status", status)
    desk.answer("clean-c-worker", desk.read_text("clean-c-worker") + "\nlink cni0: cni0")
    diff = {"op": "update", "urn": "urn:x::p::t::probes-pod", "detailedDiff": {"spec.replicas": {"kind": "update"}}}
    desk.answer("refresh", {"steps": [diff]})
    done = desk.run("s", "--json", str(tmp_path / "report.json"))
    assert done.returncode == 2, done.stdout + done.stderr
    kinds = [it["kind"] for it in json.loads((tmp_path / "report.json").read_text())["findings"]]
    assert sorted(kinds) == ["helm-value", "link", "resource"], kinds
    assert "c-worker: link cni0" in done.stdout and "remedy: printf" in done.stdout, done.stdout
    assert "probes-pod: it is another than the stack made it (spec.replicas)" in done.stdout, done.stdout
    everything = done.stdout + done.stderr + (tmp_path / "report.json").read_text()
    assert "hunter2" not in everything and "planted" not in everything, "a secret is in the log of the pipeline"


def test_what_could_not_be_asked_ends_with_1_and_its_reason(desk: Desk) -> None:
    (desk.folder / "answers" / "facts-c-worker2").unlink()
    done = desk.run("s")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not asked: c-worker2: `docker exec" in done.stdout, done.stdout


def test_an_engine_that_fails_hides_nothing_of_the_observers(desk: Desk) -> None:
    (desk.folder / "answers" / "refresh").unlink()
    desk.answer("clean-c-worker", desk.read_text("clean-c-worker") + "\nlink cni0: cni0")
    done = desk.run("s")
    assert done.returncode == 2 and "link cni0" in done.stdout, done.stdout + done.stderr
    assert "not asked: the engine's refresh: it ended with 1: pulumi: no answer" in done.stdout, done.stdout


def test_observers_that_fail_are_not_asked_and_the_engine_is(desk: Desk) -> None:
    desk.answer("config", {"cni-migration:cni": {"value": "calico", "secret": False}})
    done = desk.run("s")
    assert done.returncode == 1 and "not asked: the observers: it ended with 1: the settings are wrong" in done.stdout


def test_a_state_that_changes_meanwhile_is_no_ground_to_stand_on(desk: Desk) -> None:
    desk.answer("touch", "yes")
    done = desk.run("s")
    assert done.returncode == 1 and "not asked: the state: it changed while" in done.stdout, done.stdout + done.stderr


def test_an_api_that_is_down_does_not_make_everything_gone(desk: Desk) -> None:
    (desk.folder / "answers" / "objects").unlink()
    gone = [{"op": "delete", "urn": f"urn:x::p::t::{name}"} for name in ("cilium-release", "probes-pod")]
    desk.answer("refresh", {"steps": gone})
    done = desk.run("s")
    assert done.returncode == 1, "delete_unreachable would have the whole network be gone, and it serves"
    assert "not asked: the API of cluster c" in done.stdout and "probes-pod" not in done.stdout, done.stdout


def test_a_call_without_a_stack_says_how_it_is_called(desk: Desk) -> None:
    for args in ((), ("s", "--jsn", "x"), ("s", "--json")):
        done = desk.run(*args)
        assert done.returncode == 1 and "usage: pipeline/drift.sh STACK [--json FILE]" in done.stderr, done


@pytest.mark.parametrize("verb", ["apply", "delete", "patch", "label", "exec", "annotate", "create", "replace", "wait"])
def test_kubectl_that_looks_refuses_every_verb_that_could_write(verb: str) -> None:
    with pytest.raises(StepError, match=f"a look may only ask, and this would be `kubectl {verb}"):
        Looking(Path("kubeconfig")).run(verb, "x")


def test_what_looks_for_drift_opens_no_door_that_writes() -> None:
    text = "".join(path.read_text() for path in (ROOT / "pipeline").glob("drift*.py"))
    for word in (
        "kubectl.act",
        "kubectl.delete",
        "kubectl.patch",
        "kubectl.create",
        "uninstall",
        "steps.doors.process",
    ):
        assert word not in text.replace("from steps.doors.process import ToolError", ""), f"{word} changes something"
    shell = (ROOT / "steps" / "on_node" / "facts.sh").read_text()
    for word in ("--write", " delete", " add", " replace", "rm ", "mv ", "mkdir", "iptables", "tee ", "kubectl"):
        assert word not in shell, f"the observer would change its node: {word}"


def test_the_state_s_own_words_are_read_and_other_words_are_refused() -> None:
    kept = kept_from(json.dumps(STATE))
    assert kept is not None and (kept.epoch, kept.measured) == ("3", MEASURED)
    assert kept_from('{"deployment": {}}') is None, "a stack that was never up has promised nothing"
    with pytest.raises(ValueError, match="state cannot be read"):
        kept_from('{"deployment": {"resources": [{"urn": 3}, {}]}}')
    with pytest.raises(ValueError, match="preview cannot be read"):
        engine_findings("s", '{"steps": [{}]}')
    said = {"diagnostics": [{"severity": "error", "message": "no provider\n"}]}
    assert [it.why for it in engine_findings("s", json.dumps(said))[1]] == ["no provider"]


def test_an_answer_that_took_too_long_is_said_to(tmp_path: Path) -> None:
    for name, code in {"looked": "124", "refresh": "137", "before": "0", "after": "0"}.items():
        for end, text in {"json": "{}", "said": "", "exit": code}.items():
            (tmp_path / f"{name}.{end}").write_text(text)
    report = drift(Needs(stack="s", folder=str(tmp_path), json=""))
    assert report.exit_code == 1 and "`pulumi cancel`" in report.text(), report.text()
    assert findings_from(report.as_json())[1] == list(report.unasked)


def test_facts_of_a_node_are_printed_as_they_are(tmp_path: Path) -> None:
    net_d, pods, tools = tmp_path / "net.d", tmp_path / "pods", tmp_path / "bin"
    for folder in (net_d, tools):
        folder.mkdir()
    (net_d / "05-cilium.conflist").write_text('{"a": 1}\n')
    (net_d / "10-flannel.conflist.cilium_bak").write_text("x")
    config = pods / "uid-1" / "volumes" / "kubernetes.io~empty-dir" / "tmp" / "cilium" / "config-map"
    config.mkdir(parents=True)
    (config / "debug").write_text("false")
    for name, text in {"ip": "echo 'default via 10.0.0.1 dev eth0'", "sysctl": "echo 1"}.items():
        (tools / name).write_text(f"#!/bin/bash\n{text}\n")
        (tools / name).chmod(0o755)
    env = {"PATH": f"{tools}:{os.environ['PATH']}", "NET_D": str(net_d), "PODS": str(pods), "SECONDS_MAX": "0"}
    script = ["bash", "-c", (ROOT / "steps" / "on_node" / "facts.sh").read_text(), "facts", "127.0.0.1:1"]
    done = subprocess.run(script, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "conflist 05-cilium.conflist eyJhIjogMX0K",
        "sysctl net.ipv4.ip_forward 1",
        "sysctl net.ipv4.conf.all.rp_filter 1",
        "route default via 10.0.0.1 dev eth0",
        f"agent uid-1 debug {hashlib.sha256(b'false').hexdigest()}",
        "reach 127.0.0.1:1 false",
    ], "a fact would be another than the node's"


def test_the_world_of_these_tests_refuses_a_write() -> None:
    at: World = world("cilium")
    with pytest.raises(AssertionError, match="would write"):
        at.act("delete", "x")
