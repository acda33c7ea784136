"""The report in a real browser: it asks nobody for anything, complains of nothing, and can be read in both themes."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

from bench.results import Results, Run
from report import page, parts

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="this machine has no Chromium; `make test` brings one")
KIND = {
    "requests": 9, "failures": 3, "longestGapSeconds": 0.2, "starvedSeconds": 0, "slowestSeconds": 0,
    "connectionsBroken": 0,
}  # fmt: skip
# The contrast between text and paper that WCAG 2 asks for (AA).
LEGIBLE = 4.5
CONTRAST = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/\\d+/g).slice(0, 3).map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const of = (text) => {
    const [a, b] = [light(text), paper].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
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
def file(tmp_path: Path) -> Path:
    steps: list[dict[str, Any]] = [{"step": "cleaning", "seconds": 2.5, "kinds": {"pod": KIND}}]
    run = Run(
        schema=1, mode="quick", pairs=3, seed=1, indicative=True, began="", settings={}, machine={}, versions={},
        clusters={},
    )  # fmt: skip
    migrated = {"measured": True, "strategy": "recreate", **KIND, "steps": steps}
    shown = [parts.interruption("cilium", migrated), parts.benchmark(Results(run=run, pairs=[])), parts.hubble([])]
    path = tmp_path / "index.html"
    path.write_text(page.page(shown))
    return path


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
    assert len(texts) > 15, "this test would look at nothing"
    pale = [text for text, contrast in texts if contrast < LEGIBLE]
    assert not pale, f"in the {theme} theme nobody can read {pale}"


def test_the_themes_differ_and_the_looks_see_what_is_wrong(browser: Browser, file: Path) -> None:
    papers = {looked_at(browser, file, theme)[3] for theme in ("light", "dark")}
    assert len(papers) == 2, "who works in the dark gets a white page"
    text = file.read_text()
    text = text.replace("--muted: #68707a", "--muted: #dddddd")
    file.write_text(text.replace("</body>", '<img src="http://127.0.0.1:9/x"><script>null.x</script></body>'))
    asked, complained, texts, _ = looked_at(browser, file, "light")
    assert len(asked) == 2 and complained and min(contrast for _, contrast in texts) < LEGIBLE
