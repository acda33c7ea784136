"""The marker, as it is read while the program plans: who owns the cluster, and how far the last migration has come.
Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from settings.strategy import RECREATE, STRATEGIES, Strategy
from steps.names import AGENTS, MARKER

MARKER_NAME = MARKER


class UnknownStrategyError(ValueError):
    """The marker names a strategy that this version does not know: a newer one has begun a migration there."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A stack that has claimed the cluster, and the CNI that it asked for."""

    stack: str
    cni: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a migration was paused last: the nodes that had `moved`, and how many legs it had then. `paused` is whether
    it stands there, and nobody has gone on."""

    moved: tuple[str, ...] = ()
    leg: int = 0
    paused: bool = False


NOT_PAUSED = Progress()


@dataclass(frozen=True, kw_only=True)
class Marker:
    """The marker's data. `generation` names one life of the cluster: a new one is made with each new cluster.
    `strategy` is the one of the last migration; before there were two it was not written, and was `recreate`.
    `previous` owned the cluster before, None where nobody did, or nobody wrote it down."""

    stack: str
    cni: str
    generation: str
    epoch: int
    phase: str
    strategy: Strategy = RECREATE
    previous: Owner | None = None
    progress: Progress = NOT_PAUSED

    @property
    def finished(self) -> bool:
        """Whether the last migration got as far as its verdict."""
        return self.phase == "ready"


def marker_from(data: Mapping[str, str]) -> Marker:
    """The marker in a ConfigMap's data; a missing field is empty, so that a claim can still replace it.

    Raises UnknownStrategyError: read as another strategy, its half-done migration would be gone on with the wrong way.
    """
    strategy = data.get("strategy", RECREATE.name)
    if strategy not in STRATEGIES:
        raise UnknownStrategyError(
            f"its marker names the strategy {strategy!r}, and this version knows {', '.join(STRATEGIES)}; "
            "go on with the version that began the migration"
        )
    epoch, leg = data.get("epoch", "0"), data.get("leg", "0")
    previous, moved = data.get("previous", "").split(), tuple(data.get("moved", "").split())
    phase = data.get("phase", "")
    return Marker(
        stack=data.get("stack", ""),
        cni=data.get("cni", ""),
        generation=data.get("generation", ""),
        epoch=int(epoch) if epoch.isdecimal() else 0,
        phase=phase,
        strategy=STRATEGIES[strategy],
        previous=Owner(stack=previous[0], cni=previous[1]) if previous[1:] and previous[1] in AGENTS else None,
        progress=Progress(
            moved=moved,
            leg=int(leg) if leg.isdecimal() else 0,
            # Whoever goes on names himself as the holder first.
            paused=bool(moved) and phase == "migrating" and not data.get("holder"),
        ),
    )
