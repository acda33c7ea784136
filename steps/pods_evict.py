"""Deletes every Pod that lost its network: not on the host network, older than the cutoff, with a controller that makes
a new one. Does not wait: their sandboxes can only go when the new CNI answers. Pods without a controller:
pods_replace.py."""

from __future__ import annotations

from dataclasses import dataclass

from steps.held import Base, begin
from steps.pods import on_pod_network
from steps.running import main, say


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """`cutoff` is RFC 3339 in UTC, as Pods' own times are."""

    cutoff: str


def pods_evict(needs: Needs) -> None:
    """Each of them is being deleted."""
    with begin(needs) as kubectl:
        for pod in on_pod_network(kubectl):
            if pod.created < needs.cutoff and pod.controller:
                say(f"evicting {pod.full_name}")
                kubectl.delete("pod", pod.name, f"--namespace={pod.namespace}", "--wait=false")


if __name__ == "__main__":
    main(Needs, pods_evict)
