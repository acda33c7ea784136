"""The bolt: an admission policy that refuses to delete the running CNI's objects unless the marker says that a
migration is under way. Without it `kubectl delete` takes them at any time. It reads the marker itself: a claim opens
it, settling and a pause shut it, and it is never taken away.
"""

from __future__ import annotations

import json
from typing import Any

from steps.cilium_kinds import CRDS
from steps.doors.kubectl import Kubectl
from steps.names import FLANNEL_NAMESPACE, MARKER, PART_OF, SYSTEM
from steps.running import StepError, say

NAME = "cni-migration-bolt"
_GROUP = "/apis/admissionregistration.k8s.io/v1"
_META = {"name": NAME, "labels": PART_OF}
# What a CNI cannot do without, as NAMESPACE/NAME; nothing that Helm or the engine deletes in an upgrade.
_HELD = (
    f"{SYSTEM}/cilium",
    f"{SYSTEM}/cilium-operator",
    f"{SYSTEM}/kube-proxy",
    f"{FLANNEL_NAMESPACE}/kube-flannel-ds",
)
# A migration that is paused says so too, and has no holder: whoever goes on, or takes the cluster, names himself first.
_UNDER_WAY = (
    "has(params.data) && 'phase' in params.data && params.data['phase'] == 'migrating' && "
    "'holder' in params.data && params.data['holder'] != ''"
)
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
            # A marker that cannot be read is no leave to delete.
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
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
                    "expression": _UNDER_WAY,
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
    """Its ValidatingAdmissionPolicyBinding, which hands it the marker."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": _META,
        "spec": {
            "policyName": NAME,
            "validationActions": ["Deny"],
            # Without a marker nobody has claimed the cluster, and there is nothing to hold.
            "paramRef": {"name": MARKER, "namespace": SYSTEM, "parameterNotFoundAction": "Allow"},
        },
    }


def is_bolted(kubectl: Kubectl) -> bool:
    """Whether both are there."""
    kinds = ("validatingadmissionpolicy", "validatingadmissionpolicybinding")
    return all(kubectl.object(kind, NAME) is not None for kind in kinds)


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
