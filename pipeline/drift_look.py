"""Looks at a cluster and holds it against its stack: `pulumi config --json --show-secrets` on stdin, the report as JSON
on stdout. Changes nothing; shows no secret."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pulumi

from components.cluster.kind_cluster import KindClusterArgs, differences
from pipeline.drift_compare import compare
from pipeline.drift_facts import Container, World
from pipeline.drift_owner import container_findings, owner_findings
from pipeline.drift_promise import Kept, Promise, kept_from, promise_of
from pipeline.drift_report import Finding, Unasked, report_of
from plan.observation import observe
from plan.ownership import plan_claim
from settings import PROJECT, Settings, parse, site, tree_of
from steps.doors.looking import look_at
from steps.running import StepError, main


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The stack, and the file of its exported state."""

    stack: str
    state: str


def look(needs: Needs) -> str:
    """The report. Raises StepError where settings or state cannot be read: then nothing is promised."""
    stack = needs.stack.rpartition("/")[2]
    try:
        settings = settings_from(sys.stdin.read())
        kept = kept_from(Path(needs.state).read_text())
    except (ValueError, OSError, pulumi.RunError) as error:
        raise StepError(str(error)) from error
    findings, unasked = looked(stack, settings, kept)
    return json.dumps(report_of(stack, settings.cluster.name, findings, unasked).as_json())


def settings_from(said: str) -> Settings:
    """The settings in the words of `pulumi config --json --show-secrets`. Raises SettingsError, and ValueError for what
    is no configuration."""
    try:
        config = cast("dict[str, dict[str, Any]]", json.loads(said or "{}"))
        texts = {key: str(it["value"]) for key, it in config.items()}
        secret = bool(config.get(f"{PROJECT}:cilium", {}).get("secret"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # Not what it said: it may be a secret.
        raise ValueError(f"the stack's configuration cannot be read ({type(error).__name__})") from error
    return replace(parse(tree_of(texts), site()), cilium_is_secret=secret)


def looked(stack: str, settings: Settings, kept: Kept | None) -> tuple[list[Finding], list[Unasked]]:
    """What is found and what could not be asked; `kept` is None where no `up` has promised anything."""
    name = settings.cluster.name
    if kept is None:
        return [], [Unasked(what=f"stack {stack}", why="no up of it has ended, so nothing is promised yet")]
    promise = promise_of(stack, settings, kept)
    try:
        world = world_of(stack, settings)
    except pulumi.RunError as error:
        return [], [Unasked(what=f"cluster {name}", why=" ".join(str(error).split()))]
    if world is None:
        up = f"pulumi up --stack {stack}"
        return [Finding(kind="cluster", where=f"cluster {name}", says="there is none", remedy=up)], []
    findings = [*owner_findings(promise, world), *container_findings(promise, world)]
    if reason := _stops(promise, world):
        return findings, reason
    try:
        with look_at(name) as kubectl:
            more, unasked = compare(promise, kubectl, [it.name for it in world.containers])
    except StepError as error:
        return findings, [Unasked(what=f"the API of cluster {name}", why=" ".join(str(error).split()))]
    return [*findings, *more], unasked


def world_of(stack: str, settings: Settings) -> World | None:
    """The cluster by its containers and its marker, None where there is none. Raises ObservationError."""
    observed = observe(settings.cluster.name)
    if observed is None:
        return None
    # Of the claim nothing is looked at: differences are of the cluster alone.
    claim = plan_claim(observed.marker, stack, settings.cni, settings.migration.strategy, datetime.now(UTC))
    return World(
        containers=tuple(Container(name=node.name, started=node.started) for node in observed.nodes),
        marker=observed.marker,
        differs=tuple(differences(KindClusterArgs.of(settings.cluster, observed, claim, observed.hubble))),
    )


def _stops(promise: Promise, world: World) -> list[Unasked] | None:
    """Why nothing more is to be compared, None where all of it is: what another stack or another CNI has made is no
    drift of this one's, and what is said of it is said once."""
    marker = world.marker
    if promise.cni != promise.kept.cni or (marker and marker.stack != promise.stack and marker.cni != promise.cni):
        return []
    if marker and marker.stack == promise.stack and not marker.finished:
        why = f"a migration is under way, paused or cut off (phase {marker.phase or 'empty'}); look when it has ended"
        return [Unasked(what="the network", why=f"{why}, or go on: pulumi up --stack {promise.stack}")]
    return None


if __name__ == "__main__":
    main(Needs, look)
