"""What a stack's settings say of how the interruption of a migration is measured. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from settings.migration import MigrationSettings
from settings.reading import Reader


@dataclass(frozen=True, kw_only=True)
class TrafficSettings:
    """Whether the interruption is measured, with how many requests per second and kind of each prober, and whether from
    outside of the cluster, too."""

    enabled: bool
    hertz: float
    outside: bool


TRAFFIC_DEFAULTS: dict[str, Any] = {"enabled": True, "hertz": 5, "outside": False}


def read_traffic(read: Reader) -> TrafficSettings:
    """The keys below `traffic`."""
    traffic = TrafficSettings(
        enabled=read.boolean("traffic.enabled"),
        hertz=read.number("traffic.hertz", 1, 50),
        outside=read.boolean("traffic.outside"),
    )
    if traffic.outside and not traffic.enabled and read.sound("traffic.outside", "traffic.enabled"):
        read.refuse(
            "traffic.outside",
            "true, and traffic.enabled is false, so nothing is measured; set traffic.enabled to true, or remove it",
        )
    return traffic


def check_rate(read: Reader, migration: MigrationSettings, traffic: TrafficSettings) -> None:
    """Whether the strategy is measured where it goes by that, and the probers ask often enough to tell a gap of the
    budget from their own pace."""
    if (
        migration.strategy.must_be_measured
        and not traffic.enabled
        and read.sound("migration.strategy", "traffic.enabled")
    ):
        read.refuse(
            "migration.strategy",
            f"{migration.strategy.name} goes by what is measured, and traffic.enabled is false; "
            "set traffic.enabled to true, or migration.strategy to recreate",
        )
    gap, hertz = "migration.budget.longestGapSeconds", "traffic.hertz"
    least = 3 / traffic.hertz
    measured = migration.strategy.enforces_budget and traffic.enabled and read.sound(gap, hertz)
    if measured and migration.max_gap_seconds < least:
        read.refuse(
            gap,
            f"{migration.max_gap_seconds:g} is less than three requests apart at traffic.hertz {traffic.hertz:g}, and "
            f"{migration.strategy.name} goes by it; set it to {least:.1f} or more, traffic.hertz higher, or "
            "migration.strategy to recreate",
        )
