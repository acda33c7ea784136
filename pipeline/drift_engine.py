"""What the engine finds: `pulumi refresh --preview-only --json`, and whether the state stayed as it was. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from pipeline.drift_report import Finding, Unasked

# A resource that is as the state has it.
_AS_IT_WAS = ("same", "refresh", "read")
_NAMED = 4  # properties that are told in full


def engine_findings(stack: str, said: str) -> tuple[list[Finding], list[Unasked]]:
    """A finding for each resource that is another than in the state, with the properties and without their values.
    Raises ValueError for what is no preview."""
    try:
        digest = cast("dict[str, Any]", json.loads(said))
        steps = cast("list[dict[str, Any]]", digest.get("steps") or [])
        diagnostics = cast("list[dict[str, Any]]", digest.get("diagnostics") or [])
        findings = [_finding(stack, step) for step in steps if step["op"] not in _AS_IT_WAS]
        errors = [str(it["message"]).strip() for it in diagnostics if it.get("severity") == "error"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"the engine's preview cannot be read ({error!r})") from error
    return findings, [Unasked(what="the engine's refresh", why=" ".join(error.split())) for error in errors]


def state_unchanged(before: str, after: str) -> list[Unasked]:
    """Nothing where both exports are the same bytes. Else somebody changed the state meanwhile, and what was found is
    of two states."""
    if before == after:
        return []
    return [Unasked(what="the state", why="it changed while drift was looked for (another up?); look again")]


def _finding(stack: str, step: Mapping[str, Any]) -> Finding:
    name = str(step["urn"]).rsplit("::", 1)[-1]
    if step["op"] == "delete":
        return Finding(
            kind="resource",
            where=name,
            says="it is in the stack's state and gone from the cluster",
            remedy=f"pulumi up --stack {stack}",
        )
    paths = sorted(cast("Mapping[str, object]", step.get("detailedDiff") or {}))
    told = ", ".join(paths[:_NAMED]) + (f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else "")
    return Finding(
        kind="resource",
        where=name,
        says=f"it is another than the stack made it{f' ({told})' if told else ''}",
        remedy=f"pulumi up --stack {stack}",
    )
