"""The pages lead where they say: links, anchors, paths and make targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
OURS = [REPO / "README.md", REPO / "CONTRIBUTING.md", *sorted((REPO / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
FILE_LIKE = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*(?:/|/[\w.*-]+\.(?:py|sh|md))")
# Folders that come into being when the program runs.
LATER = {f"{line.rstrip('/')}/" for line in (REPO / ".gitignore").read_text().splitlines() if line.endswith("/")}

by_page = pytest.mark.parametrize("page", OURS, ids=lambda page: str(page.relative_to(REPO)))


def anchor(heading: str) -> str:
    """The name that GitHub gives a heading: lower case, blanks as dashes, no other punctuation."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(heading) for heading in HEADING.findall(FENCE.sub("", page.read_text()))}


def links(page: Path) -> Iterator[str]:
    """Relative ones, from the prose."""
    prose = SPAN.sub("", FENCE.sub("", page.read_text()))
    return (link for link in LINK.findall(prose) if "://" not in link and not link.startswith("mailto:"))


def paths(text: str) -> set[str]:
    """What looks like a path of this repo among the spans of code."""
    return {span for span in SPAN.findall(FENCE.sub("", text)) if FILE_LIKE.fullmatch(span)} - LATER


def targets(text: str) -> set[str]:
    """The make targets named in spans and blocks of code."""
    code = [*FENCE.findall(text), *SPAN.findall(FENCE.sub("", text))]
    return {name for piece in code for name in re.findall(r"\bmake ([a-z][a-z-]*)", piece)}


@pytest.mark.parametrize("page", [*OURS, REPO / "airgap/README.md"], ids=lambda page: str(page.relative_to(REPO)))
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for link in links(page):
        name, _, heading = link.partition("#")
        goal = page.parent / name if name else page
        assert goal.exists(), f"who follows {link} gets a page that is not there"
        if heading:
            assert heading in anchors(goal), (
                f"who follows {link} lands at the top of the page, not at what was promised"
            )


@by_page
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    gone = sorted(path for path in paths(page.read_text()) if not any(REPO.glob(path)))
    assert not gone, f"who looks for these files finds nothing: {gone}"


@by_page
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    known = set(re.findall(r"^([a-z][a-z-]*):", (REPO / "Makefile").read_text(), re.MULTILINE))
    unknown = sorted(targets(page.read_text()) - known)
    assert not unknown, f"who types these gets «No rule to make target»: {unknown}"


def test_every_make_target_of_the_help_is_in_the_readme() -> None:
    offered = set(re.findall(r"^([a-z][a-z-]*):.*## ", (REPO / "Makefile").read_text(), re.MULTILINE))
    missing = sorted(offered - targets((REPO / "README.md").read_text()))
    assert not missing, f"who reads the README does not learn of these commands: {missing}"


def test_the_readme_can_be_read_in_one_go() -> None:
    lines = len((REPO / "README.md").read_text().splitlines())
    assert lines <= 100, (
        f"the README has {lines} lines: who wants the two commands has to search; a page of docs/ has room"
    )


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    reached = {(REPO / link.partition("#")[0]).resolve() for link in links(REPO / "README.md")}
    lost = [
        str(page.relative_to(REPO))
        for page in OURS
        if page != REPO / "README.md" and reached.isdisjoint((page.resolve(), page.parent.resolve()))
    ]
    assert not lost, f"nobody finds these pages: {lost}"


def test_the_looks_see_what_is_wrong(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# The gate (`x/y.py`), twice\n[a](b.md#c) `[no](link)`\n`x/z.sh` `x/` `/etc/x.sh` `no.py` `make it`\n"
    )
    assert anchors(page) == {"the-gate-xypy-twice"}, "anchors are not GitHub's, so good links fail or bad ones pass"
    assert list(links(page)) == ["b.md#c"], "links are not seen, so a dead one passes"
    assert paths(page.read_text()) == {"x/y.py", "x/z.sh", "x/"}, "paths are not seen, so a stale one passes"
    assert targets(page.read_text()) == {"it"}, "targets are not seen, so a wrong command passes"
