"""The steps that make, claim, settle and delete the cluster, with an in-process stand-in for kind, docker and kubectl.

What is asked of them most: that nothing is deleted, or taken over, on a question that got no answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from steps import creation
from steps.claim import Needs as ClaimNeeds
from steps.claim import claim
from steps.cluster_down import Needs as DownNeeds
from steps.cluster_down import cluster_down
from steps.cluster_up import Needs as UpNeeds
from steps.cluster_up import cluster_up
from steps.doors import docker, kind, kubectl, outside, process
from steps.doors.process import ToolError
from steps.holder import holder, host
from steps.pause import Needs as PauseNeeds
from steps.pause import pause
from steps.release_unlock import Needs as UnlockNeeds
from steps.release_unlock import unlock
from steps.running import StepError
from steps.settle import Needs as SettleNeeds
from steps.settle import settle

NOW = datetime.now(UTC)
DEAD = f"{host()} 1 some_other_time"
# An API that does not answer, and a cluster of which kind itself says that it has none.
SILENT_API, NO_CONTROL_PLANE = "silent", "no control plane"


@dataclass
class World:
    """`listed` is what kind lists, None where it fails; `api` is `answers`, SILENT_API or NO_CONTROL_PLANE. `refused`
    is what kubectl says instead of doing what its key names. `log` is what was done, not what was asked."""

    listed: list[str] | None = field(default_factory=list[str])
    api: str = "answers"
    marker: dict[str, Any] | None = None
    created: list[datetime] = field(default_factory=list[datetime])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    log: list[str] = field(default_factory=list[str])
    creating: list[str] = field(default_factory=list[str])
    admission_kinds: tuple[str, ...] = ()
    applied: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    lifted: int = 0
    beside: bool = False

    def exists(self, *, created: datetime = NOW, **data: str) -> None:
        """The cluster c is there, with the marker that `data` is, or without one."""
        self.listed, self.created = ["c"], [created, created]
        self.marker = {"metadata": {"resourceVersion": "7"}, "data": data} if data else None

    def run(
        self, command: Sequence[str], *, stdin: str = "", timeout: float = 0, env: object = None, show: bool = False
    ) -> str:
        tool, *args = command
        return {"kind": self._kind, "docker": self._docker, "kubectl": self._kubectl}[tool](args, stdin)

    def _kind(self, args: list[str], stdin: str) -> str:
        if args[:2] == ["get", "clusters"]:
            if self.listed is None:
                raise ToolError("kind failed: the engine does not answer")
            return "\n".join(self.listed)
        if args[:2] == ["get", "kubeconfig"]:
            if self.api == NO_CONTROL_PLANE or "c" not in (self.listed or []):
                raise ToolError("kind failed", "ERROR: could not locate any control plane nodes for cluster named 'c'")
            return "kubeconfig"
        self.log.append(f"kind {args[0]}")
        if args[0] == "create":
            if "kind create" in self.refused:
                raise ToolError("kind failed", self.refused["kind create"])
            self.creating.append(creation.path("c").read_text())
            self.exists(created=datetime.now(UTC))
            self.api = "answers"
        else:
            self.listed = []
        return ""

    def _docker(self, args: list[str], stdin: str) -> str:
        if args[0] == "ps" and "label=cni-migration.outside=c" in args:
            return "beside" if self.beside else ""
        if args[0] == "rm":
            self.log.append("docker rm")
            self.beside = False
            return ""
        if args[0] == "ps":
            return "\n".join(str(number) for number, _ in enumerate(self.created))
        return json.dumps([{"Name": "/c-node", "Created": created.isoformat()} for created in self.created])

    def _kubectl(self, args: list[str], stdin: str) -> str:
        if self.api == SILENT_API:
            raise ToolError("kubectl gave no answer within 15 s")
        verb = args[1]
        if verb in self.refused:
            raise ToolError("kubectl failed", self.refused[verb])
        if args[1:3] == ["get", "--raw"] and "admissionregistration" in args[3]:
            return json.dumps({"resources": [{"kind": kind} for kind in self.admission_kinds]})
        if args[1:3] == ["delete", "validatingadmissionpolicybinding"]:
            self.lifted += 1
            return ""
        if verb == "get":
            return json.dumps(self.marker) if "configmap" in args and self.marker else ""
        self.log.append(" ".join(["kubectl", *args[1:]]) if verb in ("delete", "patch") else f"kubectl {verb}")
        if verb == "apply":
            self.applied.append(json.loads(stdin))
        if verb in ("create", "replace"):
            self.marker = json.loads(stdin)
        return ""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    made = World()
    for door in (kind, docker, kubectl, outside):
        monkeypatch.setattr(door, "run", made.run)
    return made


def note(*, named: str = DEAD, begun: datetime = NOW, beat: datetime | None = None, made: bool = False) -> Path:
    """A note that a creation has left behind, one minute long."""
    creation.FOLDER.mkdir(exist_ok=True)
    path = creation.path("c")
    path.write_text("\n".join([named, begun.isoformat(), *(["made"] if made else [])]) + "\n")
    last = (beat or begun + timedelta(minutes=1)).timestamp()
    os.utime(path, (last, last))
    return path


def up(config: str = "nodes: []") -> str:
    return cluster_up(UpNeeds(cluster="c", stack="flannel", generation="g"), config)


def down(stack: str = "flannel") -> None:
    cluster_down(DownNeeds(cluster="c", stack=stack))


def test_a_new_cluster_has_its_makers_marker_and_leaves_no_note(world: World) -> None:
    assert up() == "kubeconfig"
    assert world.log == ["kind create", "kubectl create"]
    assert world.marker and world.marker["data"]["stack"] == "flannel", "a destroy would not know whose it is"
    assert world.marker["data"]["phase"] == "created" and world.marker["data"]["generation"] == "g"
    assert world.creating[0].startswith(holder()), "a second up would take a creation under way for one cut off"
    assert not creation.path("c").exists(), "the next up would look for a wreck"


def test_a_kind_that_does_not_answer_makes_and_deletes_nothing(world: World) -> None:
    world.listed = None
    for step in (up, down):
        with pytest.raises(ToolError, match="does not answer"):
            step()
    assert not creation.path("c").exists(), "the cluster that is there would be taken for a wreck from now on"
    stale = note()
    for step in (up, down):
        with pytest.raises(ToolError, match="does not answer"):
            step()
    assert world.log == [] and stale.exists(), "no answer was taken for «there is none»"


def test_a_cluster_made_by_hand_is_adopted_and_not_marked_as_made_here(world: World) -> None:
    world.exists()
    assert up() == "kubeconfig"
    assert world.log == [], "a destroy before the first migration would delete somebody's cluster"
    world.api = SILENT_API
    with pytest.raises(ToolError):
        up()
    assert world.log == [], "a cluster that is slow to answer was touched"


@pytest.mark.parametrize("when", [NOW - timedelta(days=1), NOW + timedelta(hours=1)], ids=["before", "after"])
def test_a_cluster_made_before_or_after_the_creation_that_was_cut_off_is_no_wreck(world: World, when: datetime) -> None:
    stale = note()
    world.exists(created=when)
    world.api = SILENT_API
    with pytest.raises(
        StepError, match="the creation of cluster c was cut off, and whether it is whole cannot be seen"
    ):
        up()
    with pytest.raises(StepError, match="its owner cannot be read and it is left alone"):
        down()
    assert world.log == [] and stale.exists()
    world.api = "answers"
    down()
    assert up() == "kubeconfig" and world.log == [], "somebody's cluster was deleted for an old note's sake"
    assert not stale.exists()


@pytest.mark.parametrize("api", ["answers", SILENT_API, NO_CONTROL_PLANE])
def test_what_a_creation_left_that_was_cut_off_is_removed_and_made_anew(world: World, api: str) -> None:
    note()
    world.exists(created=NOW + timedelta(seconds=2))
    world.api = api
    assert up() == "kubeconfig"
    assert world.log == ["kind delete", "kind create", "kubectl create"], "an up that was cut off would need hand work"
    assert not creation.path("c").exists()


def test_a_creation_cut_off_before_it_made_anything_is_forgotten(world: World) -> None:
    note()
    assert up() == "kubeconfig"
    assert world.log == ["kind create", "kubectl create"]


def test_a_whole_cluster_that_lacks_only_its_marker_is_kept_until_it_answers(world: World) -> None:
    stale = note(made=True)
    world.exists(created=NOW + timedelta(seconds=2))
    world.api = SILENT_API
    with pytest.raises(ToolError):
        up()
    with pytest.raises(StepError, match="its owner cannot be read and it is left alone"):
        down()
    assert world.log == [] and stale.exists(), "a slow API cost a whole cluster"
    world.api = "answers"
    assert up() == "kubeconfig"
    assert world.log == ["kubectl create"] and not stale.exists(), "a destroy would not know whose it is"


def test_a_cluster_with_a_marker_is_never_a_wreck(world: World) -> None:
    stale = note()
    world.exists(created=NOW + timedelta(seconds=2), stack="cilium", epoch="3")
    assert up() == "kubeconfig"
    assert world.log == [] and not stale.exists(), "a cluster that another stack owns was deleted"


def test_a_creation_that_is_under_way_is_left_to_its_up(world: World) -> None:
    mine = note(named=holder())
    with pytest.raises(StepError, match="another up is creating cluster c right now"):
        up()
    world.exists()
    with pytest.raises(StepError, match="an up is creating cluster c right now"):
        down()
    assert world.log == [] and mine.exists()


def test_a_creation_that_lost_against_another_folders_leaves_no_note(world: World) -> None:
    world.refused["kind create"] = 'node(s) already exist for a cluster with the name "c"'
    with pytest.raises(ToolError):
        up()
    assert not creation.path("c").exists(), "the winner's cluster would be taken for this one's wreck"


def test_a_note_of_an_earlier_version_or_half_of_one_proves_nothing(world: World) -> None:
    creation.FOLDER.mkdir()
    for text in (DEAD, "", f"{DEAD}\n2026-01"):
        creation.path("c").write_text(text)
        world.exists()
        world.api = SILENT_API
        with pytest.raises(StepError, match="kind delete cluster --name c"):
            up()
    assert world.log == [], "a cluster was deleted on half a line's word"


def test_the_note_says_how_long_its_creation_was_alive(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "_BEAT", 0.01)
    path = note(beat=NOW - timedelta(days=1))
    with creation.beating("c"):
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        # Between two looks, until the first beat.
        while path.stat().st_mtime < NOW.timestamp() and datetime.now(UTC) < deadline:
            pass
    assert path.stat().st_mtime >= NOW.timestamp(), "what the creation made could not be told from anybody else's"


def test_destroy_deletes_only_what_the_marker_says_is_its_stacks(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.exists(stack="cilium")
    down("flannel")
    assert world.log == [], "another stack's cluster was deleted"
    assert "owned by stack cilium, not by stack flannel" in capsys.readouterr().err
    down("cilium")
    assert world.log == ["kind delete"]
    down("cilium")
    assert "gone already" in capsys.readouterr().err and world.log == ["kind delete"]


def test_destroy_leaves_what_nobody_owns_and_what_does_not_answer(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.exists()
    down()
    assert "owned by nobody, not by stack flannel" in capsys.readouterr().err
    world.exists(stack="flannel")
    world.api = SILENT_API
    with pytest.raises(StepError, match="its owner cannot be read and it is left alone"):
        down()
    assert world.log == []


def test_destroy_takes_away_who_asks_from_outside(world: World) -> None:
    world.exists(stack="flannel", phase="migrating")
    world.beside = True
    down("cilium")
    assert world.log == [] and world.beside, "another stack's recording would lose its prober"
    down("flannel")
    assert world.log == ["docker rm", "kind delete"], "a container would ask for ever for a cluster that has gone"
    world.beside = True
    down("flannel")
    assert not world.beside, "where the cluster was deleted by hand it would stay"


def test_destroy_removes_what_a_creation_left_that_was_cut_off_in_this_folder(world: World) -> None:
    note()
    world.exists(created=NOW + timedelta(seconds=2))
    world.api = SILENT_API
    down()
    assert world.log == ["kind delete"] and not creation.path("c").exists()


def claim_of(stack: str = "cilium", epoch: int = 2, abandon: int = 0) -> None:
    claim(
        ClaimNeeds(
            cluster="c",
            stack=stack,
            cni="cilium",
            generation="g",
            epoch=epoch,
            strategy="whatever it is called",
            abandon_epoch=abandon,
            previous=("flannel", "flannel"),
        )
    )


def flannels(world: World, **more: str) -> None:
    world.exists()
    data = {"stack": "flannel", "cni": "flannel", "epoch": "1", "phase": "ready", **more}
    world.marker = {"metadata": {"resourceVersion": "7"}, "data": data}


def test_a_claim_replaces_the_marker_that_it_has_read_and_no_other(world: World) -> None:
    flannels(world)
    claim_of()
    assert world.lifted == 1, "the deletion of the old CNI would be refused"
    assert world.log == ["kubectl replace"] and world.marker
    assert world.marker["metadata"]["resourceVersion"] == "7", "another up's claim would be overwritten"
    assert world.marker["data"] == {
        "stack": "cilium",
        "cni": "cilium",
        "generation": "g",
        "epoch": "2",
        "phase": "migrating",
        "holder": holder(),
        "strategy": "whatever it is called",
        "previous": "flannel flannel",
    }


@pytest.mark.parametrize(
    ("verb", "said"), [("create", "(AlreadyExists)"), ("replace", "(Conflict)")], ids=["create", "replace"]
)
def test_the_loser_of_two_claims_says_so_and_a_broken_tool_says_what_it_is(world: World, verb: str, said: str) -> None:
    if verb == "replace":
        flannels(world)
    else:
        world.exists()
    world.refused[verb] = f"Error from server {said}: no"
    with pytest.raises(StepError, match="another up claimed cluster c at the same moment; nothing was touched"):
        claim_of(epoch=2)
    world.refused[verb] = "Error from server (Forbidden): no"
    with pytest.raises(ToolError, match="kubectl failed"):
        claim_of(epoch=2)


def test_a_claim_waits_for_a_migration_that_runs_and_takes_over_one_that_was_cut_off(world: World) -> None:
    flannels(world, phase="migrating", holder=holder())
    with pytest.raises(StepError, match="stack flannel is migrating cluster c to flannel right now"):
        claim_of()
    flannels(world, phase="migrating", holder="elsewhere 1 x")
    with pytest.raises(StepError, match=r"on host elsewhere.*migration:abandonEpoch 1"):
        claim_of()
    assert world.log == [], "two migrations would run at once"
    claim_of(abandon=1)
    flannels(world, phase="migrating", holder=DEAD)
    claim_of()
    assert world.log == ["kubectl replace"] * 2


def test_a_paused_migration_may_be_taken_back_by_the_other_stack_at_any_time(world: World) -> None:
    flannels(world, phase="migrating", holder="", moved="c-worker", leg="1")
    claim_of()
    assert world.log == ["kubectl replace"] and world.marker, "a pause of days could be ended by one stack alone"
    assert "moved" not in world.marker["data"], "the way back would count its nodes from where the way there stood"
    flannels(world, phase="migrating", holder="")
    with pytest.raises(StepError, match="cannot be seen from here"):
        claim_of()


def test_a_claim_that_is_made_once_more_forgets_no_pause(world: World) -> None:
    flannels(world, stack="cilium", cni="cilium", epoch="2", phase="migrating", holder="", moved="c-worker", leg="1")
    claim_of()
    assert world.marker and (world.marker["data"]["moved"], world.marker["data"]["leg"]) == ("c-worker", "1"), (
        "an up with a lost state would count its legs from the beginning"
    )


def test_a_pause_lets_go_of_the_marker_and_says_where_it_stands(world: World) -> None:
    needs = PauseNeeds(cluster="c", stack="cilium", epoch="2", moved=("w",), pending=("w2", "cp"), leg=3)
    world.exists(stack="cilium", cni="cilium", epoch="2", phase="migrating", holder=holder())
    assert pause(needs) == "1 of 3 nodes"
    for part in (
        '{"op": "test", "path": "/data/epoch", "value": "2"}',
        '{"op": "test", "path": "/data/phase", "value": "migrating"}',
        '{"op": "add", "path": "/data/moved", "value": "w"}',
        '{"op": "add", "path": "/data/leg", "value": "4"}',
        '{"op": "replace", "path": "/data/holder", "value": ""}',
    ):
        assert part in world.log[0], f"the next up would not know that it is paused: {part}"
    world.admission_kinds = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    world.refused["apply"] = "denied by a webhook"
    with pytest.raises(StepError, match="the migration is paused, but the CNIs' objects could not be secured"):
        pause(needs)
    world.exists(stack="flannel", cni="flannel", epoch="3", phase="ready")
    with pytest.raises(StepError, match="owned by flannel/3 by now, not by cilium/2"):
        pause(needs)


def test_a_claim_that_was_planned_for_another_epoch_names_who_came_first(world: World) -> None:
    flannels(world, stack="thief", epoch="2")
    with pytest.raises(StepError, match="claimed by stack thief with flannel"):
        claim_of(epoch=2)
    world.exists(stack="cilium", cni="cilium", epoch="2", phase="migrating")
    claim_of(epoch=2)
    assert world.log == ["kubectl replace"], "an up that was cut off could not go on"


def test_only_the_owner_settles_and_by_a_patch_that_tests_it(world: World) -> None:
    needs = SettleNeeds(cluster="c", stack="flannel", epoch="1")
    flannels(world)
    settle(needs)
    assert '{"op": "test", "path": "/data/epoch", "value": "1"}' in world.log[0]
    flannels(world, stack="cilium", epoch="2")
    with pytest.raises(StepError, match="cluster c is owned by cilium/2 by now, not by flannel/1"):
        settle(needs)
    assert len(world.log) == 1, "another stack's migration would count as finished"
    assert not world.applied, "a Kubernetes without admission policies would refuse them, and no up would end"


def test_a_cluster_that_is_settled_is_bolted_and_one_that_cannot_be_says_so(world: World) -> None:
    needs = SettleNeeds(cluster="c", stack="flannel", epoch="1")
    flannels(world)
    world.admission_kinds = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    settle(needs)
    assert [each["kind"] for each in world.applied] == list(world.admission_kinds), (
        "`up --continue-on-error` could delete the CNI that runs, behind a preflight that failed"
    )
    world.refused["apply"] = "denied by a webhook"
    with pytest.raises(StepError, match="could not be secured against a deletion"):
        settle(needs)


def test_an_upgrade_loses_only_the_records_of_an_operation_that_was_cut_off(world: World) -> None:
    world.exists()
    for records in ("all", "pending"):
        unlock(UnlockNeeds(cluster="c", release="cilium", namespace="kube-system", records=records))
    every, pending = world.log
    assert "--namespace=kube-system" in every and "--selector=owner=helm,name=cilium " in every
    assert "status in (pending-install,pending-upgrade,pending-rollback)" in pending, "the release would be forgotten"
    with pytest.raises(StepError):
        unlock(UnlockNeeds(cluster="c", release="cilium", namespace="kube-system", records="al"))


@pytest.mark.parametrize("text", ["", "a\nb", "ä\n"])
def test_what_a_step_had_found_is_kept_byte_for_byte(text: str) -> None:
    env = {**os.environ, "PULUMI_COMMAND_STDOUT": text}
    if not text:
        del env["PULUMI_COMMAND_STDOUT"]
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "steps.keep"]
    kept = subprocess.run(command, cwd=root, env=env, capture_output=True, check=True).stdout
    assert kept == text.encode(), "the next up would see another result and run what follows again"


def test_a_users_own_settings_do_not_reach_the_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = {"KUBECONFIG": "/theirs", "KUBERC": "/theirs", "KUBECTL_KUBERC": "true", "HELM_NAMESPACE": "theirs"}
    theirs["KIND_EXPERIMENTAL_PROVIDER"] = "theirs"
    for name, value in {**theirs, "HELM_CACHE_HOME": "/cache", "HELM_DRIVER": "sql"}.items():
        monkeypatch.setenv(name, value)
    lines = process.run(["env"]).splitlines()
    assert not [line for line in lines if "theirs" in line or line.startswith(("HELM_DRIVER", "KUBECONFIG"))], (
        "a kuberc that asks before it deletes cancels every deletion, and says that all is well"
    )
    assert {"KUBERC=off", "KUBECTL_KUBERC=false", "HELM_CACHE_HOME=/cache"} <= set(lines)


def test_a_migration_in_another_container_of_the_same_name_is_not_taken_for_dead(world: World) -> None:
    there = f"{host()} 1 some_other_time another-scope"
    flannels(world, phase="migrating", holder=there)
    with pytest.raises(StepError, match="cannot be seen from here"):
        claim_of()
    assert not world.log, "two migrations would run at once"
