"""Values of Cilium's chart that this project cannot have, or that the Kubernetes provider would not hand on. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast


def value_errors(key: str, values: Mapping[str, Any]) -> list[str]:
    """What is wrong with them, by their full names; empty when nothing is."""
    errors = [
        # The provider (4.25) skips every null while it reads its inputs, whatever its option allowNullValues says,
        # while `helm template` honours it: what preflight looked at would not be what is installed.
        f"{path}: null does not reach Helm through the Kubernetes provider; write the value that is to stand there "
        f"instead of the chart's own"
        for path in _nulls(key, values)
    ]
    mode = _at(values, "ipam", "mode")
    if mode not in (None, "kubernetes"):
        errors.append(
            f"{key}.ipam.mode: {mode!r} takes addresses that are not the nodes' podCIDRs, which are all that this "
            f"project routes; leave it out (kubernetes)"
        )
    if _at(values, "encryption", "enabled") in (True, "true"):
        errors.append(
            f"{key}.encryption.enabled: IPsec and WireGuard wrap every packet, and the verification demands of Cilium "
            f"that nothing is encapsulated; leave it out, and set it by hand after the migration (IPsec needs the "
            f"Secret kube-system/cilium-ipsec-keys, WireGuard the kernel's module, on every node)"
        )
    return errors


def has_empty_list(value: object) -> bool:
    """Whether there is one anywhere in it."""
    if isinstance(value, Mapping):
        return any(has_empty_list(inner) for inner in cast("Mapping[str, object]", value).values())
    if isinstance(value, list):
        items = cast("list[object]", value)
        return not items or any(has_empty_list(inner) for inner in items)
    return False


def _nulls(path: str, value: object) -> Iterator[str]:
    if value is None:
        yield path
    elif isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, object]", value).items():
            yield from _nulls(f"{path}.{name}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(cast("list[object]", value)):
            yield from _nulls(f"{path}[{number}]", inner)


def _at(values: Mapping[str, Any], *path: str) -> object:
    node: object = values
    for name in path:
        node = cast("Mapping[str, object]", node).get(name) if isinstance(node, Mapping) else None
    return node
