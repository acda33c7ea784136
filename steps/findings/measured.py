"""What the verification measures of the network. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steps.findings.wire import Pair


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What one probe reached: a ClusterIP, and names by the cluster's DNS. `where` names the probe; `why` is what went
    wrong, `; ` between several, or empty."""

    where: str
    services: bool
    dns: bool
    why: str


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
