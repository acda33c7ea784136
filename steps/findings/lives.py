"""What became of the Pods that ran when a migration began: which are others by now, started again or moved. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from steps.running import StepError

# Names of each sort that the report shows; a strategy that drains replaces nearly all.
_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Life:
    """One Pod on the Pod network: `restarts` are its containers' in all, sidecars among them; `started` is when the Pod
    was (RFC 3339)."""

    uid: str
    address: str
    restarts: int
    started: str
    ended: bool


def life_of(item: Mapping[str, Any]) -> Life:
    """Of a Pod in the API's JSON."""
    status = item["status"]
    containers: list[Mapping[str, Any]] = [
        *(status.get("containerStatuses") or []),
        *(status.get("initContainerStatuses") or []),
    ]
    return Life(
        uid=item["metadata"]["uid"],
        address=status.get("podIP", ""),
        restarts=sum(one["restartCount"] for one in containers),
        started=status.get("startTime", ""),
        ended=status.get("phase") in ("Succeeded", "Failed"),
    )


def written(lives: Mapping[str, Life]) -> str:
    """As `read` takes it."""
    return json.dumps({name: asdict(life) for name, life in lives.items()})


def read(text: str) -> dict[str, Life]:
    """Raises StepError where it is none of ours."""
    try:
        return {name: Life(**life) for name, life in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise StepError(f"what was noted of the Pods cannot be read: {text[:200]!r}") from error


def compared(before: Mapping[str, Life], now: Mapping[str, Life]) -> dict[str, Any]:
    """The report's `pods`: how many ran, how many go on as they were, and the names of the others. One that is `gone`
    was deleted, and perhaps made anew by its controller; one that has `ended` has done its work."""
    same = {name: (life, now[name]) for name, life in before.items() if name in now and now[name].uid == life.uid}
    ended = sorted(name for name, (_, life) in same.items() if life.ended)
    restarted = sorted(name for name, (then, life) in same.items() if life.restarts > then.restarts)
    moved = sorted(name for name, (then, life) in same.items() if life.address != then.address and not life.ended)
    return {
        "before": len(before),
        "kept": len(same.keys() - {*ended, *restarted, *moved}),
        "gone": _names([f"{name} (since {before[name].started})" for name in sorted(before.keys() - same.keys())]),
        "ended": _names(ended),
        "restarted": _names(
            [f"{name} ({same[name][0].restarts} to {same[name][1].restarts} restarts)" for name in restarted]
        ),
        "otherAddress": _names([f"{name} ({same[name][0].address} to {same[name][1].address})" for name in moved]),
    }


def _names(found: Sequence[str]) -> list[str]:
    more = len(found) - _SHOWN
    return [*found[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
