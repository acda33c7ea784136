"""What the verification measures of the network. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from steps.findings.wire import Pair


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What one probe reached: a ClusterIP, names by the cluster's DNS, and over TCP the probe Pod on each node. `where`
    names the probe, NODE and network; `pods` has each node that was asked; `why` is what went wrong, `; ` between
    several, or empty."""

    where: str
    services: bool
    dns: bool
    why: str
    pods: Mapping[str, bool] = field(default_factory=dict[str, bool])


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the CNI says of itself on one node. An empty text: it said nothing. `kube_proxy_replacement` is None where
    neither the CNI nor a kube-proxy serves Services, which no CNI promises."""

    node: str
    routing: str
    kube_proxy_replacement: bool | None
    masquerading: str


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that was measured: a pair for two nodes in each direction, a reach a probe, a status a node."""

    pairs: Sequence[Pair]
    reaches: Sequence[Reach]
    statuses: Sequence[Status]

    def reached(self, from_node: str, to_node: str) -> bool | None:
        """Whether every probe on a node reached the probe Pod on another; None where none was asked."""
        asked = [reach.pods.get(to_node) for reach in self.reaches if reach.where.split(" ")[0] == from_node]
        return None if not asked or None in asked else all(asked)
