"""What Cilium's agent answers: the HTTP, and its endpoints. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from steps.running import StepError


def answer_from(text: str) -> tuple[int, str]:
    """The code and the body of an HTTP answer."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    words = head.split()
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdecimal():
        raise StepError(f"the agent's answer is none of HTTP: {text[:200]!r}")
    return int(words[1]), body


def answers_from(text: str) -> list[tuple[int, str]]:
    """The answers that adopt.sh prints, a line each in base64. One that did not come has the code 0."""
    found: list[tuple[int, str]] = []
    for line in text.splitlines():
        try:
            said = base64.b64decode(line, validate=True).decode(errors="replace")
        except ValueError as error:
            raise StepError(f"the agent's answer is no base64: {line[:200]!r}") from error
        found.append(answer_from(said) if said else (0, "no answer"))
    return found


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`state` is the agent's; `policed`: a policy holds for it, so that it need not answer everybody."""

    state: str
    policed: bool


def endpoints_from(body: str) -> dict[str, Endpoint]:
    """The endpoints in the answer to GET /endpoint, by their container's ID."""
    try:
        items = cast("list[Mapping[str, Any]]", json.loads(body) or [])
        found: dict[str, Endpoint] = {}
        for item in items:
            status = cast("Mapping[str, Any]", item["status"])
            names = cast("Mapping[str, str]", status.get("external-identifiers") or {})
            policy = cast("Mapping[str, Any]", status.get("policy") or {})
            realized = cast("Mapping[str, Any]", policy.get("realized") or {})
            if container := names.get("container-id"):
                policed = realized.get("policy-enabled", "none") != "none"
                found[container] = Endpoint(state=str(status["state"]), policed=policed)
        return found
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StepError(f"the agent's list of endpoints cannot be read: {body[:200]!r}") from error
