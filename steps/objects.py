"""How objects in the API's JSON are read, where every part may be missing or null. Pure."""

from __future__ import annotations

from typing import Any, cast

from steps.doors.kubectl import Object


def part(item: Object, *path: str) -> Object:
    """The object at a path, empty where there is none."""
    found: Any = item
    for key in path:
        found = cast("Object", found).get(key) if isinstance(found, dict) else None
    return cast("Object", found) if isinstance(found, dict) else {}


def parts(item: Object, *path: str) -> list[Object]:
    """The list at a path, empty where there is none."""
    found: Any = part(item, *path[:-1]).get(path[-1])
    return cast("list[Object]", found) if isinstance(found, list) else []


def labels_of(item: Object) -> dict[str, str]:
    """Its labels."""
    return part(item, "metadata", "labels")


def full_name(item: Object) -> str:
    """NAMESPACE/NAME, or the name of what has no namespace."""
    metadata = part(item, "metadata")
    return "/".join(part for part in (metadata.get("namespace", ""), metadata["name"]) if part)
