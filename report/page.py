"""The page: one HTML file with everything in it, no script and no address but those of the captures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the page. `missing` says what to do where there is nothing to show; `more` is drawn
    where somebody asks for it; `files` lie beside the page."""

    title: str
    missing: str = ""
    text: Sequence[str] = ()
    svg: Markup | None = None
    more: Markup | None = None
    head: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    files: Sequence[str] = ()


def page(parts: Sequence[Part]) -> str:
    """The whole page. What comes from a cluster is escaped: a Pod's name must not become markup."""
    where = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    return where.get_template("page.html.j2").render(parts=parts)
