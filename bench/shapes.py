"""The shapes of a benchmark's results. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.order import Side

SCHEMA = 1
# Of a cluster: what the release of Cilium was given.
VALUES = "values"
Comparison = Literal["pair", "control"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that is needed to repeat it. `settings` are the benchmark's own (seconds, rates, limits), `clusters` what
    each side is (nodes, image, CNI, MTU), `versions` of tools, `machine` its kernel, processors and memory.
    `project` is the commit that is measured. `indicative` where there are too few pairs to say more."""

    schema: int
    mode: str
    pairs: int
    seed: int
    indicative: bool
    began: str
    project: str
    settings: Mapping[str, Any]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    clusters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measurement of one cluster. `values` by name, each in the unit its name says; `steal` is the part of the
    machine's time that its host took away meanwhile, from 0 to 1."""

    side: Side
    began: str
    seconds: float
    steal: float
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two measurements of `test`, in the order in which they were made. Of a control both are of one cluster, and
    `numerator` (0 or 1) is drawn; of a pair it is Cilium's. `kept` is false where the host stole too much and it was
    measured again; `attempt` counts from 1. Where the last attempt was no better it is kept, and `stolen`."""

    turn: int
    test: str
    comparison: Comparison
    numerator: int
    measures: tuple[Measure, Measure]
    attempt: int
    kept: bool
    stolen: bool

    def ratios(self) -> dict[str, float]:
        """Each value that both have, as a ratio; the metric is TEST/VALUE."""
        above, below = self.measures[self.numerator].values, self.measures[1 - self.numerator].values
        return {f"{self.test}/{name}": above[name] / below[name] for name in above if name in below}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A measurement of `side` that gave no sample, and `why`: which tests a network makes fail is a result as well."""

    turn: int
    test: str
    comparison: Comparison
    attempt: int
    side: Side
    began: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What somebody outside noticed: connections in all, those without a good answer, the longest time without one."""

    requests: int
    failures: int
    longest_gap_seconds: float


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One migration to Cilium, in the round `number`. `way` is `by hand`, or the strategy of `pulumi up`; `place` is
    its place in the round, from 0."""

    number: int
    way: str
    place: int
    began: str
    seconds: float
    seen: Seen


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a file holds."""

    run: Run
    pairs: Sequence[Pair]
    failures: Sequence[Failure] = ()
    migrations: Sequence[Migration] = ()

    def done(self) -> set[tuple[int, str, Comparison]]:
        """The turn, test and comparison of what is measured for good."""
        return {(pair.turn, pair.test, pair.comparison) for pair in self.pairs if pair.kept}
