"""The engine's own events of a preview, read into what a summary needs. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from pipeline.values import Changed, differences, secretive

Event = Mapping[str, Any]
# What a stage does to a resource; `replace` is told by its parts, the rest changes nothing.
_DOES = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "create-replacement": "replace",
    "delete-replaced": "delete",
    "import": "import",
    "import-replacement": "import",
    "read": "read",
    "discard": "forget",
}
_QUIET = {"same", "refresh", "replace", "read-replacement", "read-discard", "remove-pending-replace"}
_STEP = re.compile(r"steps\.[a-z_]+")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A resource that changes. `runs` is the step that is run, empty for none."""

    does: str
    kind: str
    name: str
    runs: str
    changed: tuple[Changed, ...]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the engine, the program, a provider or a policy says. `about` is a resource, empty for none."""

    severity: Literal["error", "warning", "note"]
    about: str
    text: str


@dataclass(kw_only=True)
class Planned:
    """What a preview has planned, in the engine's order: it registers a resource when all that it depends on is there,
    so this is the order in which they will run.

    `kept` are components and providers that change with them and run nothing. `preflight` are the inputs of the step
    that looks before, `looks` is whether it will run, `claims` whether the cluster changes hands. `ended` is the
    engine's word on how it ended, empty where it did not come to it. `program` is what the program says of itself.
    `secrets` is what no text may repeat."""

    changes: list[Change] = field(default_factory=list[Change])
    kept: list[str] = field(default_factory=list[str])
    said: list[Said] = field(default_factory=list[Said])
    preflight: Mapping[str, Any] = field(default_factory=dict[str, Any])
    looks: bool = False
    claims: bool = False
    ended: str = ""
    program: list[str] = field(default_factory=list[str])
    secrets: set[str] = field(default_factory=set[str])


def planned(lines: Iterable[str]) -> Planned:
    """What is in an event log. A line that cannot be read is said: what it held would be missing unseen."""
    plan = Planned()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except ValueError:
            plan.said.append(Said(severity="error", about="", text=f"line {number} of the engine's events is no JSON"))
            continue
        _take(plan, cast(Event, event))
    return plan


def _take(plan: Planned, event: Event) -> None:
    if "preludeEvent" in event:
        config: Event = event["preludeEvent"].get("config") or {}
        for key, value in config.items():
            plan.secrets |= secretive({key: _tree(value)})
    elif "resourcePreEvent" in event:
        _resource(plan, event["resourcePreEvent"]["metadata"])
    elif "diagnosticEvent" in event:
        said = event["diagnosticEvent"]
        severity = {"error": "error", "warning": "warning", "info#err": "note"}.get(said.get("severity", ""))
        if said.get("severity") == "info":
            plan.program.append(said.get("message", "").strip())
        elif severity and not said.get("ephemeral"):
            _say(plan, severity, said.get("urn", ""), said.get("message", ""))
    elif "policyEvent" in event:
        policy = event["policyEvent"]
        severity = "error" if policy.get("enforcementLevel") == "mandatory" else "warning"
        _say(plan, severity, policy.get("resourceUrn", ""), f"{policy.get('policyName')}: {policy.get('message', '')}")
    elif "summaryEvent" in event:
        plan.ended = event["summaryEvent"].get("result") or "succeeded"


def _say(plan: Planned, severity: str, urn: str, text: str) -> None:
    said = Said(severity=cast(Any, severity), about=_name(urn), text=text.strip())
    if said.text and said not in plan.said:
        plan.said.append(said)


def _resource(plan: Planned, step: Event) -> None:
    old: Event = step.get("old") or {}
    new: Event = step.get("new") or {}
    plan.secrets |= secretive(old.get("inputs")) | secretive(new.get("inputs")) | secretive(old.get("outputs"))
    op, state = step["op"], new or old
    inputs: Mapping[str, Any] = state.get("inputs") or {}
    creates = str(inputs.get("create", ""))
    if creates == "steps.preflight" and op != "delete-replaced":
        plan.preflight, plan.looks = inputs, plan.looks or op not in _QUIET
    if op in _QUIET:
        return
    plan.claims |= creates == "steps.claim" and op in ("create", "create-replacement")
    name, kind = _name(step["urn"]), str(step["type"])
    if not state.get("custom") or kind.startswith("pulumi:"):
        if name not in plan.kept:
            plan.kept.append(name)
        return
    does = _DOES.get(op, op)
    runs = str(inputs.get(does if does in ("update", "delete") else "create") or (creates if does == "update" else ""))
    if op == "delete-replaced" and kind.startswith("command:") and not runs:
        return  # the engine forgets it, and its replacement is a change of its own
    changed = differences(old.get("inputs"), new.get("inputs"), step.get("detailedDiff")) if old and new else ()
    ran = runs if _STEP.fullmatch(runs) else ""
    plan.changes.append(Change(does=does, kind=kind.rsplit(":", 1)[-1], name=name, runs=ran, changed=changed))


def _tree(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) and value.startswith(("{", "[")) else value
    except ValueError:
        return value


def _name(urn: str) -> str:
    return urn.split("::", 3)[3] if urn.count("::") >= 3 else ""
