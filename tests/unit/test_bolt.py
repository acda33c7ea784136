"""The shape of the bolt: what it holds, what opens it, and that nothing else is in its way."""

from __future__ import annotations

import json
import re
from typing import Any

from steps import bolt
from steps.cilium_kinds import CRDS

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


def test_only_a_marker_that_says_migrating_and_who_does_opens_it() -> None:
    (validation,) = SPEC["validations"]
    assert validation["expression"] == (
        "has(params.data) && 'phase' in params.data && params.data['phase'] == 'migrating' && "
        "'holder' in params.data && params.data['holder'] != ''"
    ), "a settled or a paused cluster would be open, or a migration would be refused its own deletions"
    assert SPEC["failurePolicy"] == "Fail"
    spec = bolt.binding()["spec"]
    assert spec["paramRef"] == {"name": "cni-migration", "namespace": "kube-system", "parameterNotFoundAction": "Allow"}
    assert spec["validationActions"] == ["Deny"] and spec["policyName"] == bolt.policy()["metadata"]["name"]


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
