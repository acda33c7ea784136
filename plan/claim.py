"""The claim of an `up`: what this stack will own, from its settings and from what is there now."""

from __future__ import annotations

from datetime import UTC, datetime

import pulumi

from plan.observation import Observed
from plan.ownership import Claim, describe, plan_claim
from plan.stage import stage_of, standing
from settings import Settings


def claim_for(settings: Settings, observed: Observed | None) -> Claim:
    """The claim of the current stack; says in the preview who owns the cluster now, and what this stack makes of it."""
    marker = observed.marker if observed else None
    exists = observed is not None
    claim = plan_claim(
        marker, pulumi.get_stack(), settings.cni, settings.migration.strategy, datetime.now(UTC), exists=exists
    )
    said = describe(marker, claim, settings.cluster.name, exists=exists)
    pulumi.log.info(said + standing(claim, stage_of(claim, settings.migration)))
    return claim
