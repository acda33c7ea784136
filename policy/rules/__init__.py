"""The rules, by what they look at. docs/policy.md has them in one table."""

from __future__ import annotations

from pulumi_policy import Policy

from rules import (
    charts,
    cilium,
    cluster,
    commands,
    exposure,
    gate,
    images,
    one_cni,
    privileges,
    provider,
    rbac,
    requests,
    secrets,
    serving,
    subnets,
)

RULES: list[Policy] = [
    *images.RULES,
    *cilium.RULES,
    *one_cni.RULES,
    *privileges.RULES,
    *secrets.RULES,
    *gate.RULES,
    *cluster.RULES,
    *commands.RULES,
    *subnets.RULES,
    *serving.RULES,
    *exposure.RULES,
    *rbac.RULES,
    *provider.RULES,
    *charts.RULES,
    *requests.RULES,
]
