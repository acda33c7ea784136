"""A look at the cluster before the engine is asked: whether it answers at all, and whose it is. In bounded time: with
the API silent, the engine and the providers wait for minutes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import settings
from plan import observation
from plan.ownership import Marker
from settings.errors import SettingsError
from settings.layers import PROJECT
from steps.doors.kubectl import cluster
from steps.doors.process import ToolError, run
from steps.running import StepError

# Seconds for one question; a cluster that is well answers each of them in a tenth of it.
_ANSWER = 4


@dataclass(frozen=True, kw_only=True)
class World:
    """`unknown`: it was not looked, which `said` gives the reason of. `none`: there is no such cluster. `answers`, and
    `marker` is its word on who owns it, empty where nobody does. `silent`: it is there, or may be, and does not answer.
    """

    cluster: str
    state: Literal["unknown", "none", "answers", "silent"]
    said: str
    marker: Mapping[str, str]

    @classmethod
    def from_json(cls, text: str) -> World:
        """Of what `look` has found."""
        return cls(**json.loads(text))


def look(config: Mapping[str, Any]) -> World:
    """`config` is the answer of `pulumi config --json`."""
    nowhere = World(cluster="", state="unknown", said="", marker={})
    if config.get(f"{PROJECT}:cluster", {}).get("secret"):
        return replace(nowhere, said="the name of the cluster is a secret of the stack")
    try:
        name = _settings(config).cluster.name
    except SettingsError:
        return replace(nowhere, said="the settings are wrong")  # which the program says better
    there = replace(nowhere, cluster=name, state="answers")
    try:
        observed = observation.observe(name, _bounded)
        if observed is None:
            return replace(there, state="none")
        with cluster(name) as kubectl:  # the host's own way to it, which the providers take
            kubectl.run("get", "--raw", "/readyz", f"--request-timeout={_ANSWER}s", timeout=_ANSWER)
    except (observation.ObservationError, StepError) as error:
        return replace(there, state="silent", said=str(error))
    return replace(there, marker=_told(observed.marker))


def _told(marker: Marker | None) -> dict[str, str]:
    if marker is None:
        return {}
    return {
        "stack": marker.stack,
        "cni": marker.cni,
        "epoch": str(marker.epoch),
        "phase": marker.phase,
        "strategy": marker.strategy.name,
    }


def _settings(config: Mapping[str, Any]) -> settings.Settings:
    # As the engine hands them to the program. Only for the reading: what is started here has no use for them.
    given = {key: entry["value"] for key, entry in config.items() if "value" in entry and not entry.get("secret")}
    os.environ["PULUMI_CONFIG"] = json.dumps(given)
    try:
        return settings.load()
    finally:
        del os.environ["PULUMI_CONFIG"]


def _bounded(command: Sequence[str]) -> str:
    try:
        return run(command, timeout=_ANSWER)
    except ToolError as error:
        raise observation.ObservationError(str(error)) from error
