"""The report in a real browser: it asks nobody for anything, complains of nothing, and can be read in both themes."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

from report.__main__ import main
from unit.conftest import arguments

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="this machine has no Chromium; `make test` brings one")
# The contrast between text and paper that WCAG 2 asks for (AA).
LEGIBLE = 4.5
CONTRAST = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/\\d+/g).slice(0, 3).map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = getComputedStyle(document.body).backgroundColor;
  const colour = (name) => {
    document.body.style.color = `var(${name})`;
    const found = getComputedStyle(document.body).color;
    document.body.style.color = "";
    return found;
  };
  const bars = [colour("--flannel"), colour("--cilium")];
  const apart = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  // What has the paper's colour stands on a bar.
  const of = (text) => Math.min(...(text === paper ? bars : [paper]).map((behind) => apart(text, behind)));
  return [...document.querySelectorAll("h1, h2, p, td, th, svg text")].filter((e) => e.textContent.trim())
    .map((e) => [e.textContent, of(e.ownerSVGElement ? getComputedStyle(e).fill : getComputedStyle(e).color)]);
}"""


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def file(tmp_path: Path, inputs: dict[str, Path]) -> Path:
    """The page with everything that it can show."""
    assert main(arguments(tmp_path / "page", inputs)) == 0
    return tmp_path / "page" / "index.html"


def looked_at(
    browser: Browser, file: Path, theme: Literal["light", "dark"]
) -> tuple[list[str], list[str], list[Any], str]:
    """What the page asked for, what it complained of, the contrast of each text, and the colour of the paper."""
    view = browser.new_page(color_scheme=theme)
    asked: list[str] = []
    complained: list[str] = []
    view.on("request", lambda request: asked.append(request.url))
    view.on("console", lambda message: complained.append(message.text))
    view.on("pageerror", lambda error: complained.append(str(error)))
    view.goto(file.as_uri())
    texts = view.evaluate(CONTRAST)
    paper = view.evaluate("() => getComputedStyle(document.body).backgroundColor")
    view.close()
    return asked, complained, texts, paper


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_asks_nobody_complains_of_nothing_and_can_be_read(
    browser: Browser, file: Path, theme: Literal["light", "dark"]
) -> None:
    asked, complained, texts, _ = looked_at(browser, file, theme)
    assert asked == [file.as_uri()], "who reads the page offline misses something, or is watched"
    assert not complained, "the page is broken"
    assert len(texts) > 60, "this test would look at nothing"
    pale = [text for text, contrast in texts if contrast < LEGIBLE]
    assert not pale, f"in the {theme} theme nobody can read {pale}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_drawn_is_looked_at_as_well(browser: Browser, file: Path, theme: Literal["light", "dark"]) -> None:
    texts = {text for text, _ in looked_at(browser, file, theme)[2]}
    for drawn in ("VXLAN", "the new CNI comes", "other-node/round-trip/p99", "shop/db"):
        assert drawn in texts, f"{drawn} is drawn, and nobody checks that it can be read"


def test_the_themes_differ_and_the_looks_see_what_is_wrong(browser: Browser, file: Path) -> None:
    papers = {looked_at(browser, file, theme)[3] for theme in ("light", "dark")}
    assert len(papers) == 2, "who works in the dark gets a white page"
    text = file.read_text()
    text = text.replace("--ink: #1b1f24", "--ink: #dddddd")
    file.write_text(text.replace("</body>", '<img src="http://127.0.0.1:9/x"><script>null.x</script></body>'))
    asked, complained, texts, _ = looked_at(browser, file, "light")
    assert len(asked) == 2 and complained and min(contrast for _, contrast in texts) < LEGIBLE
