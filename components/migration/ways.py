"""The ways that there are, by the name of their strategy."""

from __future__ import annotations

from components.migration.live import Live
from components.migration.recreate import Recreate
from components.migration.rolling import Rolling
from components.migration.way import Way
from settings.strategy import Strategy

_WAYS: dict[str, Way] = {way.strategy.name: way for way in (Recreate(), Rolling(), Live())}


def way_of(strategy: Strategy) -> Way:
    """How a migration by this strategy is built."""
    return _WAYS[strategy.name]
