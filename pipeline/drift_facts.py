"""What was found, as data: one shape a source. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plan.ownership import Marker
from steps.doors.kubectl import Object
from steps.nodes import Node
from steps.objects import full_name


@dataclass(frozen=True, kw_only=True)
class Left:
    """A line of clean.sh: something that matches the row `kind what` of residue.py's table."""

    kind: str
    what: str
    item: str


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """A node's own word. `conflists` are texts by the file's name, `routes` lines of the main table, `reached` whether
    ADDRESS:PORT answered, `agents` the SHA-256 of each key that Cilium's agent was started with, by its Pod's uid."""

    name: str
    left: tuple[Left, ...]
    conflists: Mapping[str, str]
    sysctls: Mapping[str, str]
    routes: tuple[str, ...]
    reached: Mapping[str, bool]
    agents: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Objects:
    """What the API has, as JSON. `nodes` are the same nodes as steps read them, `labels` the labels of each."""

    nodes: tuple[Node, ...]
    labels: Mapping[str, Mapping[str, str]]
    pods: tuple[Object, ...]
    workloads: tuple[Object, ...]
    config_maps: tuple[Object, ...]
    services: tuple[Object, ...]

    def config_map(self, name: str) -> Object:
        """The ConfigMap NAMESPACE/NAME, empty where there is none."""
        return next((it for it in self.config_maps if full_name(it) == name), Object())


@dataclass(frozen=True, kw_only=True)
class Container:
    """A node's container: when it was started last (RFC 3339)."""

    name: str
    started: str


@dataclass(frozen=True, kw_only=True)
class World:
    """The cluster as docker and the marker have it; `marker` is None where there is none, `differs` are sentences of
    what a running cluster cannot follow."""

    containers: tuple[Container, ...]
    marker: Marker | None
    differs: tuple[str, ...]
