"""Sees to it that no Pod older than the cutoff is left on the Pod network: makes those without a controller anew (the
same manifest, a new sandbox) and waits until the others are gone."""

from __future__ import annotations

import json
from dataclasses import dataclass

from steps.doors.kubectl import Kubectl
from steps.held import Base, begin
from steps.pods import Pod, on_pod_network
from steps.running import main, say


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """`cutoff` is RFC 3339 in UTC, as Pods' own times are."""

    cutoff: str


def pods_replace(needs: Needs) -> None:
    """No Pod is left with a network that is gone."""
    with begin(needs) as kubectl:
        for pod in on_pod_network(kubectl):
            if pod.created >= needs.cutoff:
                continue
            if pod.controller:
                kubectl.wait("pod", pod.name, f"--namespace={pod.namespace}", until="delete", seconds=120)
            else:
                _make_anew(kubectl, pod)


def _make_anew(kubectl: Kubectl, pod: Pod) -> None:
    manifest = kubectl.object("pod", pod.name, namespace=pod.namespace)
    if manifest is None:
        return  # its user has deleted it since
    say(f"making {pod.full_name} anew")
    options = ("--force", "--grace-period=1", "--timeout=120s")
    kubectl.act("replace", *options, "--filename=-", stdin=json.dumps(manifest), timeout=180)


if __name__ == "__main__":
    main(Needs, pods_replace)
