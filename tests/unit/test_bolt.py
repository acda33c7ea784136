"""The shape of the bolt: what it holds, what opens it, and that nothing else is in its way."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from steps import bolt
from steps.cilium_kinds import CRDS
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.running import StepError

SPEC: dict[str, Any] = bolt.policy()["spec"]
CONDITIONS = {each["name"]: each["expression"] for each in SPEC["matchConditions"]}


def held() -> set[str]:
    return set(json.loads(CONDITIONS["held"].rpartition(" in ")[2]))


def test_it_holds_the_agents_the_namespace_and_the_kinds_of_either_cni() -> None:
    assert held() == {
        "kube-system/cilium",
        "kube-system/cilium-operator",
        "kube-system/kube-proxy",
        "kube-flannel/kube-flannel-ds",
        "kube-flannel",
        *CRDS,
    }, "the CNI that runs could be deleted behind a preflight that failed"


def test_it_minds_deletions_alone_and_of_no_kind_that_an_upgrade_deletes() -> None:
    rules = SPEC["matchConstraints"]["resourceRules"]
    assert {operation for rule in rules for operation in rule["operations"]} == {"DELETE"}, (
        "no upgrade would go through"
    )
    kinds = {kind for rule in rules for kind in rule["resources"]}
    assert kinds == {"daemonsets", "deployments", "namespaces", "customresourcedefinitions"}, (
        "Helm deletes its old records in every upgrade, and the garbage collector Pods"
    )


def test_it_refuses_whoever_asks_and_depends_on_no_object_that_the_api_has_to_watch() -> None:
    (validation,) = SPEC["validations"]
    assert validation["expression"] == "false" and SPEC["failurePolicy"] == "Fail"
    assert "paramKind" not in SPEC, "deleted and put back, it would go by the marker of then, and bar every migration"
    spec = bolt.binding()["spec"]
    assert "paramRef" not in spec
    assert spec["validationActions"] == ["Deny"] and spec["policyName"] == bolt.policy()["metadata"]["name"]


class Api(Kubectl):
    """An API that goes by the policy for `lag` more questions after its binding has gone."""

    def __init__(self, *, bolted: bool, lag: int = 0, fault: str = "") -> None:
        super().__init__(Path("none"))
        self.bolted, self.lag, self.fault = bolted, lag, fault
        self.asked: list[str] = []

    def run(self, *args: str, stdin: str = "", timeout: float = 0) -> str:
        self.asked.append(" ".join(args))
        if args[1] == "validatingadmissionpolicybinding":
            if self.fault:
                raise ToolError("kubectl failed", self.fault)
            was, self.bolted = self.bolted, False
            return "deleted" if was else ""
        assert "--dry-run=server" in args, "the CNI would be gone"
        if self.lag:
            self.lag -= 1
            raise ToolError("kubectl failed", f"Error from server (Forbidden): policy '{bolt.NAME}' denied request")
        return ""


def test_it_is_lifted_when_the_api_goes_by_that_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_: float) -> None: ...

    monkeypatch.setattr(bolt.time, "sleep", sleep)
    api = Api(bolted=True, lag=2)
    bolt.lift(api)
    assert len(api.asked) == 1 + 2 + 3, "the engine's deletion of the old CNI would be refused a moment later"
    bolt.lift(api)
    assert len(api.asked) == 7, "each step would ask what nobody has put there"
    monkeypatch.setattr(bolt, "_SEEN", 0)
    with pytest.raises(StepError, match="refuses to delete"):
        bolt.lift(Api(bolted=True, lag=9))


def test_a_kubernetes_without_such_policies_has_none_to_lift_and_a_silent_one_may() -> None:
    bolt.lift(Api(bolted=False, fault="error: the server doesn't have a resource type"))
    with pytest.raises(ToolError):
        bolt.lift(Api(bolted=False, fault="the connection was refused"))


def test_what_is_leaving_already_may_be_deleted_once_more() -> None:
    assert "!has(oldObject.metadata.deletionTimestamp)" in CONDITIONS.values(), (
        "the engine deletes Flannel's namespace again that a step has deleted, and the up would fail"
    )


def test_a_deletion_of_a_whole_collection_is_judged_by_each_objects_own_name() -> None:
    for expression in (*CONDITIONS.values(), SPEC["validations"][0]["messageExpression"]):
        assert "request.name" not in expression, "it is empty in `kubectl delete daemonsets --all`"
    assert not any("resourceNames" in rule for rule in SPEC["matchConstraints"]["resourceRules"])


def test_each_expression_is_whole_and_its_message_says_what_to_do() -> None:
    message = SPEC["validations"][0]["messageExpression"]
    for expression in (*CONDITIONS.values(), message, SPEC["validations"][0]["expression"]):
        bare = re.sub(r"'[^']*'|\"[^\"]*\"", "''", expression)
        assert bare.count("(") == bare.count(")") and "'" not in bare.replace("''", ""), expression
        assert "\n" not in expression, "the API refuses a message with a line break"
    assert "pulumi up" in message and "kubectl delete validatingadmissionpolicybinding cni-migration-bolt" in message
