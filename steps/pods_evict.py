"""Deletes every Pod that lost its network: not on the host network, older than the cutoff, with a controller that makes
a new one. Does not wait: their sandboxes can only go when the new CNI answers. Pods without a controller, and static
ones, of which only the shadow would go: pods_replace.py."""

from __future__ import annotations

from dataclasses import dataclass

from steps.doors.kubectl import Kubectl
from steps.held import Base, begin
from steps.pods import Pod, delete_pod, on_pod_network
from steps.running import main, say
from steps.side_by_side import each


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """`cutoff` is RFC 3339 in UTC, as Pods' own times are."""

    cutoff: str


def pods_evict(needs: Needs) -> None:
    """Each of them is being deleted."""
    with begin(needs) as kubectl:
        lost = [
            pod
            for pod in on_pod_network(kubectl)
            if pod.created < needs.cutoff and pod.controller and not pod.static and pod.state != "leaving"
        ]
        each({pod.full_name: (lambda pod=pod: _evict(kubectl, pod)) for pod in lost}, "the deletion")


def _evict(kubectl: Kubectl, pod: Pod) -> None:
    say(f"evicting {pod.full_name}")
    delete_pod(kubectl, pod)


if __name__ == "__main__":
    main(Needs, pods_evict)
