"""The bolt: an admission policy that refuses to delete the running CNI's objects. A claim lifts it, settling and a
pause shoot it. Without it `kubectl delete` takes them at any time.

It is there or it is not, and reads nothing. The marker was its parameter once: the API server ends its look at a
parameter with the last binding that names one, and does not begin another. A binding that was deleted and came back
went by the marker of then, against each later migration.
"""

from __future__ import annotations

import json
import time
from typing import Any

from steps.cilium_kinds import CRDS
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.names import FLANNEL_NAMESPACE, MARKER, PART_OF, SYSTEM
from steps.running import StepError, say

NAME = "cni-migration-bolt"
_GROUP = "/apis/admissionregistration.k8s.io/v1"
_META = {"name": NAME, "labels": PART_OF}
# What a CNI cannot do without, as NAMESPACE/NAME; nothing that Helm or the engine deletes in an upgrade.
_AGENTS = (f"{SYSTEM}/cilium", f"{SYSTEM}/kube-proxy", f"{FLANNEL_NAMESPACE}/kube-flannel-ds")
_HELD = (*_AGENTS, f"{SYSTEM}/cilium-operator")
# Seconds within which the API server goes by a binding that has gone; it looks once a second.
_SEEN = 30
# The name of what goes. A deletion of a whole collection has none in its request, only the object itself has.
_SPACE = "oldObject.metadata.namespace"
_FULL_NAME = f"(has({_SPACE}) && {_SPACE} != '' ? {_SPACE} + '/' : '') + oldObject.metadata.name"


def _rule(group: str, *resources: str) -> dict[str, Any]:
    return {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": [*resources]}


def policy() -> dict[str, Any]:
    """The ValidatingAdmissionPolicy."""
    names = sorted([*_HELD, FLANNEL_NAMESPACE, *CRDS])
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": _META,
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    _rule("apps", "daemonsets", "deployments"),
                    _rule("", "namespaces"),
                    _rule("apiextensions.k8s.io", "customresourcedefinitions"),
                ]
            },
            "matchConditions": [
                {"name": "held", "expression": f"oldObject != null && ({_FULL_NAME}) in {json.dumps(names)}"},
                # Its end was asked for while that was right; a second deletion of it only waits.
                {"name": "not-leaving", "expression": "!has(oldObject.metadata.deletionTimestamp)"},
            ],
            "validations": [
                {
                    "expression": "false",
                    "messageExpression": (
                        f"({_FULL_NAME}) + ' belongs to the CNI that serves this cluster, and no migration is under "
                        f"way (ConfigMap {SYSTEM}/{MARKER}): run `pulumi up`, which looks whether the new CNI can come "
                        f"before it takes the old one away. To delete it all the same: kubectl delete "
                        f"validatingadmissionpolicybinding {NAME}'"
                    ),
                    "reason": "Forbidden",
                }
            ],
        },
    }


def binding() -> dict[str, Any]:
    """Its ValidatingAdmissionPolicyBinding, without which the policy does nothing."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": _META,
        "spec": {
            "policyName": NAME,
            "validationActions": ["Deny"],
        },
    }


def shoot(kubectl: Kubectl) -> None:
    """Puts both there. Kubernetes before 1.30 has no such kind: that is said, and is no failure."""
    answer = kubectl.run("get", "--raw", _GROUP)
    try:
        kinds = {resource["kind"] for resource in json.loads(answer)["resources"]}
    except (ValueError, TypeError, KeyError) as error:
        raise StepError(f"the API's list of admission kinds cannot be read: {answer[:200]!r}") from error
    if "ValidatingAdmissionPolicy" not in kinds:
        say("this Kubernetes has no ValidatingAdmissionPolicy (1.30 has): the CNI's objects can be deleted at any time")
        return
    # The policy first: a binding to none is refused or does nothing.
    for manifest in (policy(), binding()):
        options = ("--server-side", "--force-conflicts", "--field-manager=cni-migration")
        kubectl.act("apply", *options, "--filename=-", stdin=json.dumps(manifest))


def lift(kubectl: Kubectl) -> None:
    """Takes the binding away and returns when the API server has seen that, a second later. Raises StepError where it
    goes on refusing."""
    try:
        told = kubectl.run("delete", "validatingadmissionpolicybinding", NAME, "--ignore-not-found", "--timeout=30s")
    except ToolError as error:
        if error.says("the server doesn't have a resource type"):
            return
        raise
    deadline = time.monotonic() + _SEEN
    while told.strip() and _refuses(kubectl):
        if time.monotonic() >= deadline:
            raise StepError(
                f"the API refuses to delete the CNI's objects {_SEEN} s after the binding {NAME} has gone: look at "
                "kubectl get validatingadmissionpolicybindings"
            )
        time.sleep(0.3)  # between two looks, not in place of a condition


def _refuses(kubectl: Kubectl) -> bool:
    """Whether a deletion that is only tried meets the policy."""
    for space, _, name in (full.partition("/") for full in _AGENTS):
        where = (f"--namespace={space}", "--ignore-not-found", "--dry-run=server")
        try:
            kubectl.run("delete", "daemonset", name, *where)
        except ToolError as error:
            if error.says(NAME):
                return True
            if not error.says("Error from server"):
                raise
    return False
