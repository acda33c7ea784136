"""What a strategy is to the program: how it prepares the new CNI's coming, and how the nodes get to it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.gate import Gate
from components.parts import Parts
from components.step import Steps
from settings import Settings
from settings.strategy import Strategy


@dataclass(frozen=True, kw_only=True)
class Start:
    """A migration that has begun: `begun` is what has run by then (preflight, claim, recording). `name` and `parent`
    are the Migration's; `boots` are the times when the nodes were started last."""

    name: str
    parent: pulumi.Resource
    steps: Steps
    settings: Settings
    boots: Sequence[str]
    begun: Sequence[pulumi.Resource]
    parts: Parts


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The gate that the new CNI follows, and the time (UTC, RFC 3339) before which Pods have lost their network."""

    gate: Gate
    stranded_before: pulumi.Output[str]


class Way(Protocol):
    """How a migration by one strategy is built."""

    @property
    def strategy(self) -> Strategy:
        """Its name and its facts."""
        ...

    def prepare(self, start: Start) -> Prepared:
        """What comes before the new CNI."""
        ...

    def move(self, steps: Steps, settings: Settings, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """What comes after it, and has to be done before anything is verified."""
        ...
