"""Sees to it that no Pod older than the cutoff is left on the Pod network: makes those anew that nobody else would,
gives static ones a new sandbox, and waits until the others are gone."""

from __future__ import annotations

from dataclasses import dataclass

from steps.doors.kubectl import Kubectl
from steps.held import Base, begin
from steps.pods import await_gone, on_pod_network, patience
from steps.pods_anew import replace_bare_pods
from steps.pods_static import renew_static_pods
from steps.running import StepError, main


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """`cutoff` is RFC 3339 in UTC, as Pods' own times are."""

    cutoff: str


def pods_replace(needs: Needs) -> None:
    """No Pod is left with a network that is gone. Raises StepError with everything that is not so."""
    with begin(needs) as kubectl:
        failed: list[str] = []
        for task in (replace_bare_pods, _renew_static, _await_controlled):
            try:
                task(kubectl, needs.cutoff)
            except StepError as error:
                # The Pods of one kind are not to wait until those of another are mended.
                failed.append(str(error))
        if failed:
            raise StepError("\n".join(failed))


def _renew_static(kubectl: Kubectl, cutoff: str) -> None:
    renew_static_pods(kubectl, [pod for pod in on_pod_network(kubectl) if pod.static], before=cutoff)


def _await_controlled(kubectl: Kubectl, cutoff: str) -> None:
    old = [pod for pod in on_pod_network(kubectl) if pod.controller and not pod.static and pod.created < cutoff]
    await_gone(kubectl, old, patience(old, 120))


if __name__ == "__main__":
    main(Needs, pods_replace)
