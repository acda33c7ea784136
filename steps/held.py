"""How each step of a migration begins: with kubectl for the cluster, in the marker's name, noted in the recording."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from steps import marker
from steps.doors.kubectl import Kubectl, cluster


@dataclass(frozen=True, kw_only=True)
class Base:
    """What each step of a migration is told. `mark` is the step's own name in the recording, empty for none;
    `control_plane` is the node that keeps the recording's steps."""

    cluster: str
    stack: str
    cni: str
    epoch: str
    control_plane: str
    mark: str


@contextmanager
def begin(base: Base) -> Generator[Kubectl]:
    """Raises StepError where another stack owns the cluster by now."""
    with cluster(base.cluster) as kubectl:
        marker.take_hold(kubectl, cluster=base.cluster, stack=base.stack, epoch=base.epoch)
        if base.mark:
            marker.mark(base.control_plane, base.mark)
        yield kubectl
