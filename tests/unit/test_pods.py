"""Pods that a migration takes from under somebody: none is lost, and none is made anew that its user deleted."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from steps import pods, pods_anew, pods_evict, pods_keep, pods_replace
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.pods import await_gone, pod_from
from steps.pods_manifest import manifest_of, under_another_name
from steps.running import StepError

OLD, CUTOFF, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"
TOKEN: Object = {"name": "kube-api-access-x2b4c", "projected": {"sources": []}}
TOKEN_MOUNT: Object = {"name": TOKEN["name"], "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}


def pod(name: str, uid: str, *owners: Object, created: str = OLD, **spec: Any) -> Object:
    return {
        "metadata": {
            "namespace": "a",
            "name": name,
            "uid": uid,
            "creationTimestamp": created,
            "ownerReferences": list(owners),
        },
        "spec": {"nodeName": "n", "containers": [{"name": "main"}], **spec},
        "status": {"phase": "Running", "podIP": "10.244.1.2", "conditions": [{"type": "Ready", "status": "True"}]},
    }


CONTROLLER = {"kind": "StatefulSet", "uid": "s1", "controller": True}
COLLECTOR = {"kind": "ConfigMap", "uid": "c1"}


class Api(Kubectl):
    """An API with Pods and the Secrets of kube-system. What is named in `refused` is not created; `killed` ends the
    step at the deletion of a Pod; `reborn` come at once when their name is free."""

    def __init__(self, *items: Object) -> None:
        super().__init__(Path("/nowhere"))
        self.pods = {item["metadata"]["name"]: item for item in items}
        self.secrets: dict[str, Object] = {}
        self.refused: dict[str, str] = {}
        self.namespaces = {"a"}
        self.killed = False
        self.reborn: list[Object] = []
        self.deleted: list[str] = []
        self.silent = False
        self.phase = "migrating"

    def run(self, *args: str, stdin: str = "", timeout: float = 120) -> str:
        assert args[:2] == ("delete", "--raw"), args
        body, name = json.loads(stdin), args[2].rsplit("/", 1)[-1]
        if self.killed:
            raise SystemExit(137)
        found = self.pods.get(name)
        if found is None:
            raise ToolError("failed", f'Error from server (NotFound): pods "{name}" not found')
        uid = found["metadata"]["uid"]
        if uid != body["preconditions"]["uid"]:
            raise ToolError("failed", "Error from server (Conflict): the UID in the precondition does not match")
        self.deleted.append(uid)
        del self.pods[name]
        self.pods.update({item["metadata"]["name"]: item for item in self.reborn})
        return ""

    def objects(self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = "") -> list[Object]:
        if self.silent:
            raise ToolError("the API does not answer")
        if kind == "secrets":
            assert selector == "cni-migration/kept=pod" and namespace == "kube-system"
            return list(self.secrets.values())
        return list(self.pods.values())

    def object(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        if kind == "configmap":
            return {"metadata": {"resourceVersion": "7"}, "data": {"phase": self.phase}}
        if kind == "namespace":
            return {} if name in self.namespaces else None
        return self.pods.get(name)

    def create(self, manifest: Any) -> None:
        name = manifest["metadata"]["name"]
        if manifest["kind"] == "Secret":
            if name in self.secrets:
                raise ToolError("failed", "Error from server (AlreadyExists)")
            self.replace(manifest)
        elif answer := self.refused.get(name):
            raise ToolError("failed", answer)
        else:
            made = {**manifest, "metadata": {**manifest["metadata"], "uid": f"{name}-new", "creationTimestamp": NEW}}
            self.pods[name] = made

    def replace(self, manifest: Any) -> None:
        data = {key: base64.b64encode(text.encode()).decode() for key, text in manifest["stringData"].items()}
        self.secrets[manifest["metadata"]["name"]] = {"metadata": manifest["metadata"], "data": data}

    def delete(self, *what: str, seconds: int = 120) -> None:
        assert what[0] == "secret", what
        self.secrets.pop(what[1], None)

    def uids(self) -> dict[str, str]:
        return {name: item["metadata"]["uid"] for name, item in self.pods.items()}


def calls(action: Callable[[], Any]) -> Callable[..., Any]:
    """A stand-in that takes any arguments."""

    def stand_in(*_: object, **__: object) -> Any:
        return action()

    return stand_in


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pods_anew, "_TO_STAND", 0)
    monkeypatch.setattr("time.sleep", calls(lambda: None))
    monkeypatch.setattr(pods_replace, "renew_static_pods", calls(lambda: None))
    monkeypatch.setattr(pods_keep.bolt, "lift", calls(lambda: None))


def _begun(api: Api, module: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    @contextmanager
    def begin(_: object) -> Generator[Api]:
        yield api

    monkeypatch.setattr(module, "begin", begin)
    return {"cluster": "c", "stack": "s", "cni": "cilium", "epoch": "2", "control_plane": "cp", "mark": ""}


def keep(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    pods_keep.pods_keep(pods_keep.Needs(**_begun(api, pods_keep, monkeypatch)))


def replace(api: Api, monkeypatch: pytest.MonkeyPatch, cutoff: str = CUTOFF) -> None:
    pods_replace.pods_replace(pods_replace.Needs(**_begun(api, pods_replace, monkeypatch), cutoff=cutoff))


def evict(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    pods_evict.pods_evict(pods_evict.Needs(**_begun(api, pods_evict, monkeypatch), cutoff=CUTOFF))


def test_a_manifest_is_without_what_the_api_refuses_or_puts_in_itself() -> None:
    item = pod(
        "web",
        "u1",
        COLLECTOR,
        ephemeralContainers=[{"name": "debugger"}],
        priority=0,
        preemptionPolicy="PreemptLowerPriority",
        volumes=[TOKEN, {"name": "data", "emptyDir": {}}],
        containers=[{"name": "main", "volumeMounts": [TOKEN_MOUNT, {"name": "data", "mountPath": "/data"}]}],
    )
    made = manifest_of(item)
    assert "ephemeralContainers" not in made["spec"], "a Pod that was debugged could never be made again"
    assert not {"priority", "preemptionPolicy"} & set(made["spec"]), "a priority class that has changed would refuse it"
    assert made["spec"]["volumes"] == [{"name": "data", "emptyDir": {}}], "it would keep the old Pod's token volume"
    assert made["spec"]["containers"][0]["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    assert made["spec"]["nodeName"] == "n", "its volumes may be on that node"
    assert made["metadata"] == {"namespace": "a", "name": "web", "ownerReferences": [COLLECTOR]}
    assert "status" not in made and item["status"], "the Pod itself would be changed"


def test_a_token_volume_of_the_user_s_own_stays() -> None:
    by_hand = pod("web", "u1", automountServiceAccountToken=False, volumes=[TOKEN])
    assert manifest_of(by_hand)["spec"]["volumes"] == [TOKEN], "the admission would put in no other"
    elsewhere: Object = {"name": TOKEN["name"], "mountPath": "/token"}
    used = pod("web", "u1", volumes=[TOKEN], containers=[{"name": "m", "volumeMounts": [TOKEN_MOUNT, elsewhere]}])
    assert manifest_of(used)["spec"]["volumes"] == [TOKEN], "a mount would name a volume that is not there"


def test_a_tried_creation_has_a_name_that_the_api_takes() -> None:
    long = under_another_name({"metadata": {"name": "x" * 229 + "-" + "y" * 23, "namespace": "a"}})
    assert len(long["metadata"]["name"]) <= 253 and "x-cni" in long["metadata"]["name"], long
    assert long["metadata"]["namespace"] == "a"


def test_every_pod_that_nobody_makes_anew_is_kept_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    static = pod("mirror", "u4", {"kind": "Node", "controller": True})
    static["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    leaving = pod("leaving", "u6")
    leaving["metadata"]["deletionTimestamp"] = OLD
    host = pod("host", "u5", hostNetwork=True)
    api = Api(pod("bare", "u1"), pod("owned", "u2", COLLECTOR), pod("db-0", "u3", CONTROLLER), static, host, leaving)
    keep(api, monkeypatch)
    assert sorted(api.secrets) == ["cni-migration-pod-u1", "cni-migration-pod-u2"], "a Pod could be lost for good"
    secret = api.secrets["cni-migration-pod-u1"]["metadata"]
    assert secret["namespace"] == "kube-system" and secret["labels"] == {"cni-migration/kept": "pod"}
    assert api.deleted == [], "something was touched before the gate"
    keep(api, monkeypatch)
    assert len(api.secrets) == 2, "the step could not be run again"


def test_a_copy_of_a_pod_that_has_gone_unseen_outlives_an_up_that_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pod("bare", "u1"))
    keep(api, monkeypatch)
    api.pods.clear()
    keep(api, monkeypatch)
    assert "cni-migration-pod-u1" in api.secrets, "its manifest would be lost before anybody had read of it"


def test_the_bolt_that_a_pause_has_shot_is_lifted_before_the_gate_and_in_no_settled_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api, lifted = Api(), list[object]()
    monkeypatch.setattr(pods_keep.bolt, "lift", lifted.append)
    keep(api, monkeypatch)
    assert lifted == [api], "a paused migration could not be finished by recreate: the old CNI's deletion is refused"
    api.phase = "ready"
    keep(api, monkeypatch)
    assert lifted == [api], "nobody would shoot it again"


def test_a_cluster_that_is_not_being_migrated_gets_no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pod("bare", "u1"))
    api.phase = "ready"
    keep(api, monkeypatch)
    assert api.secrets == {}, "a stack of an earlier version would leave copies that nobody clears away"


def test_a_bare_pod_is_made_anew_and_its_copy_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pod("bare", "u1"), pod("owned", "u2", COLLECTOR), pod("young", "u3", created=NEW))
    keep(api, monkeypatch)
    replace(api, monkeypatch)
    assert api.uids() == {"bare": "bare-new", "owned": "owned-new", "young": "u3"}, (
        "a Pod is gone, or kept a dead network"
    )
    assert api.secrets == {}, "the next migration would make Pods that nobody wants"


def test_a_creation_that_is_refused_is_told_kept_and_tried_again_by_the_next_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = Api(pod("bare", "u1"), pod("fine", "u2"))
    keep(api, monkeypatch)
    api.refused["bare"] = 'Error from server (Forbidden): pods "bare" is forbidden: exceeded quota: small'
    for _ in range(2):
        with pytest.raises(StepError, match=r"Pod a/bare .* exceeded quota: small.*cni-migration-pod-u1") as failed:
            replace(api, monkeypatch)
        assert "a/fine" not in str(failed.value)
    assert api.uids() == {"fine": "fine-new"}, "one that is refused kept another from coming back"
    assert list(api.secrets) == ["cni-migration-pod-u1"], "the Pod's manifest is lost"
    api.refused.clear()
    replace(api, monkeypatch)
    assert api.uids()["bare"] == "bare-new" and api.secrets == {}


def test_an_up_that_was_killed_at_the_deletion_loses_no_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pod("bare", "u1"))
    keep(api, monkeypatch)
    api.killed = True
    with pytest.raises(SystemExit):
        replace(api, monkeypatch)
    api.killed = False
    api.pods.clear()  # the API had begun the deletion
    replace(api, monkeypatch)
    assert api.uids() == {"bare": "bare-new"}, "the Pod is gone, and the second `up` says done"


def test_a_pod_that_has_gone_in_the_outage_is_named_and_kept_and_not_made_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Api(pod("gone", "u1"), pod("going", "u2"))
    keep(api, monkeypatch)
    del api.pods["gone"]
    api.pods["going"]["metadata"]["deletionTimestamp"] = OLD
    monkeypatch.setattr(pods_anew, "await_gone", calls(api.pods.clear))
    replace(api, monkeypatch)
    assert api.uids() == {}, "the user has deleted it, and it is back"
    said = capsys.readouterr().err
    for name, uid in (("gone", "u1"), ("going", "u2")):
        assert f"Pod a/{name} has gone since the migration began" in said, "if the cluster did it, nobody would know"
        assert f"get secret cni-migration-pod-{uid}" in said and f"cni-migration-pod-{uid}" in api.secrets, (
            "its manifest would be lost"
        )
    api.pods["gone"] = pod("gone", "u9", created=NEW)
    monkeypatch.setattr(pods_anew, "await_gone", calls(lambda: None))
    replace(api, monkeypatch)
    assert list(api.secrets) == ["cni-migration-pod-u2"], "its user has made it again, and it is said to be gone"
    keep(api, monkeypatch)
    replace(api, monkeypatch)
    assert "cni-migration-pod-u2" in api.secrets, "only its user can tell that nobody wants it"


def test_a_pod_that_goes_with_its_node_s_taint_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pod("tainted", "u1"), pod("drained", "u2"))
    for name, reason in (("tainted", "DeletionByTaintManager"), ("drained", "EvictionByEvictionAPI")):
        api.pods[name]["metadata"]["deletionTimestamp"] = OLD
        gone = {"type": "DisruptionTarget", "status": "True", "reason": reason}
        api.pods[name].setdefault("status", {}).setdefault("conditions", []).append(gone)
    keep(api, monkeypatch)
    assert list(api.secrets) == ["cni-migration-pod-u1"], "it is lost when the step begins after five minutes"
    monkeypatch.setattr(pods_anew, "await_gone", calls(api.pods.clear))
    replace(api, monkeypatch)
    assert api.uids() == {"tainted": "tainted-new"}, "its node had no CNI, and the cluster took the Pod for it"
    assert api.secrets == {}


def test_a_pod_that_its_user_deletes_a_moment_before_we_do_is_not_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pod("bare", "u1"))
    monkeypatch.setattr(pods_anew, "delete_pod", calls(api.pods.clear))
    replace(api, monkeypatch)
    assert api.uids() == {}, "the user has deleted it, and it is back"
    assert list(api.secrets) == ["cni-migration-pod-u1"], "if the cluster was faster, its manifest would be lost"


def test_a_pod_of_a_namespace_that_is_gone_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pod("bare", "u1"))
    api.namespaces.clear()
    api.refused["bare"] = 'Error from server (NotFound): namespaces "a" not found'
    replace(api, monkeypatch)
    assert api.secrets == {}, "every `up` would fail for a namespace that its user deleted"
    missing = Api(pod("bare", "u1"))
    missing.refused["bare"] = 'Error from server (NotFound): priorityclasses "high" not found'
    with pytest.raises(StepError, match="priorityclasses"):
        replace(missing, monkeypatch)
    assert missing.secrets, "the Pod was given up for want of something else"


def test_a_copy_that_cannot_be_read_is_no_copy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    api.secrets["cni-migration-pod-u1"] = {"metadata": {"name": "cni-migration-pod-u1"}, "data": {}}
    with pytest.raises(StepError, match="cni-migration-pod-u1 cannot be read"):
        replace(api, monkeypatch)


def test_a_silent_api_makes_no_pod_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pod("bare", "u1"))
    api.silent = True
    with pytest.raises(StepError, match="does not answer"):
        replace(api, monkeypatch)
    assert api.deleted == [], "it was deleted on a question without an answer"


def test_an_eviction_takes_what_a_controller_makes_anew_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    static = pod("mirror", "u4", {"kind": "Node", "uid": "n1", "controller": True})
    static["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    api = Api(pod("bare", "u1"), pod("owned", "u2", COLLECTOR), pod("db-0", "u3", CONTROLLER), static)
    evict(api, monkeypatch)
    assert api.deleted == ["u3"], "a Pod with an owner that is no controller is gone, and nothing was said"


def test_a_statefulset_s_new_pod_of_the_same_name_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pod("db-0", "u3", CONTROLLER))
    api.reborn = [pod("db-0", "u9", CONTROLLER, created=NEW)]
    evict(api, monkeypatch)
    replace(api, monkeypatch)
    assert api.uids() == {"db-0": "u9"} and api.deleted == ["u3"], "the new Pod was taken for the old one"
    await_gone(api, [pod_from(pod("db-0", "u3", CONTROLLER))], 0)


def test_a_controlled_pod_that_does_not_go_is_named_and_the_bare_ones_are_back(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = pod("db-0", "u3", CONTROLLER, terminationGracePeriodSeconds=-30)
    api = Api(stuck, pod("bare", "u1"))
    monkeypatch.setattr(pods_replace, "patience", calls(lambda: 0))
    with pytest.raises(StepError, match="not gone within 0 s: a/db-0"):
        replace(api, monkeypatch)
    assert api.uids()["bare"] == "bare-new"


def test_patience_is_as_long_as_the_longest_grace_period() -> None:
    slow = pod_from(pod("slow", "u1", terminationGracePeriodSeconds=300))
    assert pods.patience([slow], 60) == 330, "a Pod that drains for five minutes would fail the move after one"
    assert pods.patience([], 60) == 60


def test_a_pod_that_was_being_deleted_when_the_migration_began_is_not_counted_as_lost_in_it() -> None:
    leaving = pod("old", "u2")
    leaving["metadata"]["deletionTimestamp"] = NEW
    relay = pod("hubble-relay", "u4")
    relay["metadata"]["labels"] = {"app.kubernetes.io/part-of": "cilium"}
    api = Api(pod("new", "u1"), leaving, pod("host", "u3", hostNetwork=True), relay)
    assert list(pods.lives(api)) == ["a/new"], "the report would lay to the migration what a user or a rollout did"
