"""What the engine sends of a resource, read: what is a secret in it, and what is not known yet.

The SDK (1.21.0) takes the mark off every secret before a rule sees it, so no rule could tell a kubeconfig that is kept
from one in the clear; and one value that is not known yet ends the whole rule for its resource. `as_sent` has both left
as they came. It replaces two functions of the SDK's: where a newer one has them no more, the fixtures of the secret
rules fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pulumi_policy.policy as sdk
from pulumi_policy import proxy
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY

_UNKNOWN = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))


def as_sent() -> None:
    """Has every rule of this process get properties as they were sent. To be called before the pack is made."""
    for step in ("deserialize_properties", "unknown_checking_proxy"):
        if not callable(getattr(sdk, step, None)):
            raise RuntimeError(f"pulumi_policy.policy has no {step} any more: policy/wire.py has to follow")
        setattr(sdk, step, _unchanged)


def _unchanged(properties: dict[str, Any], proxy_secrets: bool = False) -> dict[str, Any]:
    return properties


def is_secret(value: object) -> bool:
    """Whether the engine keeps it as a secret."""
    return isinstance(value, Mapping) and cast("Mapping[str, Any]", value).get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG


def is_unknown(value: object) -> bool:
    """Whether it comes with the `up` only."""
    return isinstance(value, str) and value in _UNKNOWN


def opened(value: Any) -> Any:
    """The value with all secrets in it opened; what is not known yet is None."""
    if is_unknown(value):
        return None
    if is_secret(value):
        return opened(value.get("value"))
    if isinstance(value, Mapping):
        return {key: opened(inner) for key, inner in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [opened(inner) for inner in cast("list[Any]", value)]
    return value


def plain_texts(value: Any, path: str = "", key: str = "") -> Iterator[tuple[str, str, str]]:
    """Every text that is no secret and known, as (path, key, text). The key of a {name, value} pair is its name."""
    if is_secret(value) or is_unknown(value):
        return
    if isinstance(value, str):
        yield path, key, value
    elif isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value)
        name = pairs.get("name")
        for inner, below in pairs.items():
            named = name if isinstance(name, str) and inner == "value" else inner
            yield from plain_texts(below, f"{path}.{inner}".lstrip("."), named)
    elif isinstance(value, list):
        for number, below in enumerate(cast("list[Any]", value)):
            yield from plain_texts(below, f"{path}[{number}]", key)
