"""The site file's YAML, with what is lost once it is parsed: the last of two equal keys wins, and 010 is 8. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import yaml

INTEGER = "tag:yaml.org,2002:int"
MERGE = "tag:yaml.org,2002:merge"


class SiteTree(dict[str, Any]):
    """What the file says, with the mistakes that its tree no longer shows: `parse` reports them with all others."""

    mistakes: list[str]


def read_yaml(text: str, source: str) -> SiteTree:
    """The tree of a site file. Raises ValueError, with a sentence, where the text makes no mapping."""
    # PyYAML's constructors raise whatever they stumble on: KeyError for `!!bool x`, ValueError for the date 2024-13-45.
    try:
        loader: Any = yaml.SafeLoader(text)  # whose methods have no types
        node = loader.get_single_node()
        mistakes = list(_mistakes(node, "", source, ())) if node else []
        loaded: Any = loader.construct_document(node) if node else None
    except RecursionError as error:
        raise ValueError("it is nested too deeply, or refers to itself; write it without") from error
    except Exception as error:
        raise ValueError(f"it is no YAML that can be read: {error}") from error
    if loaded is not None and not isinstance(loaded, dict):
        raise ValueError("it holds no mapping of settings; write one such as cluster: {workers: 3}")
    tree = SiteTree(cast("dict[str, Any]", loaded or {}))
    tree.mistakes = mistakes
    return tree


def _mistakes(node: yaml.Node, path: str, source: str, above: tuple[yaml.Node, ...]) -> Iterator[str]:
    if node in above:  # an alias to a mapping that it is part of
        raise RecursionError
    if isinstance(node, yaml.MappingNode):
        seen: set[tuple[str, str]] = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            dotted = f"{path}.{name}" if path else name
            if (key.tag, name) in seen and key.tag != MERGE:
                yield f"{dotted}: given twice (in {source}), and only the last would count; leave one of them"
            seen.add((key.tag, name))
            yield from _mistakes(value, path if key.tag == MERGE else dotted, source, (*above, node))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _mistakes(item, f"{path}[{index}]", source, (*above, node))
    elif node.tag == INTEGER and not re.fullmatch(r"-?(0|[1-9][0-9]*)", node.value):
        yield f"{path}: {node.value} (in {source}) {_odd_integer(node.value)}"


def _odd_integer(text: str) -> str:
    number = yaml.safe_load(text)
    if re.fullmatch(r"[-+]?0[0-7_]+", text):
        plain = text.replace("_", "").lstrip("-+0") or "0"
        return f"is refused: a number with a leading zero is octal to YAML: write {plain} or {abs(number)}"
    return f"is the number {number} to YAML; write {number}, or put it in quotes where text is meant"
