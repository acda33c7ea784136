"""NetworkPolicies: those that a mixed cluster would not enforce everywhere, and those that were never enforced and bite
as soon as Cilium comes."""

from __future__ import annotations

from collections.abc import Sequence

from steps.doors.kubectl import Kubectl
from steps.objects import full_name

_KIND = "networkpolicies.networking.k8s.io"
# Cilium's own, of which there are none where their CustomResourceDefinition is not there.
_CILIUM = ("ciliumnetworkpolicies.cilium.io", "ciliumclusterwidenetworkpolicies.cilium.io")
_ACCEPT = "if that is accepted: pulumi config set migration:allowUnenforcedPolicies true"


def policies(kubectl: Kubectl) -> list[str]:
    """KIND NAMESPACE/NAME of each."""
    # By name, and not out of the list of all kinds: an aggregated API that is down makes that list fail.
    there = {item["metadata"]["name"] for item in kubectl.objects("customresourcedefinitions")}
    kinds = (_KIND, *(kind for kind in _CILIUM if kind in there))
    return [f"{item['kind']} {full_name(item)}" for kind in kinds for item in kubectl.objects(kind)]


def mixed(names: Sequence[str], cni: str) -> list[str]:
    """What a strategy that leaves nodes mixed makes of them, a line each."""
    after = "every node enforces it from its move to Cilium on" if cni == "cilium" else "nor by Flannel after"
    return [f"{name} would not be enforced everywhere while nodes are mixed ({after}); {_ACCEPT}" for name in names]


def biting(names: Sequence[str]) -> list[str]:
    """What Cilium makes of them at once, a line each."""
    return [f"{name} was never enforced by Flannel, and is from the moment that Cilium is there" for name in names]
