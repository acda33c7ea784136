"""The report for real: the page from the benchmark, a capture and flows of the shared cluster, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from e2e.measured import python, typed
from e2e.network import eventually
from e2e.real import Real, with_cilium

pytestmark = pytest.mark.e2e


@pytest.mark.usefixtures("measured")
def test_the_page_shows_what_was_measured_and_asks_nobody(real: Real, program: Path, browser: Browser) -> None:
    with_cilium(real)
    folder = program / ".state" / "report"

    def drawn() -> None:
        python(real, program, "-m", "report.collect", "cilium", str(folder))
        typed(real, program, "bash", "scripts/report.sh", str(folder))
        assert "cni-migration/probe" in (folder / "index.html").read_text(), "the relay gave no flows"

    # Without flows the page is made too, and says that there are none.
    eventually(drawn)
    asked: list[str] = []
    wrong: list[str] = []
    with browser.new_page() as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text))
        page.goto((folder / "index.html").as_uri())
        text = page.inner_text("body")
    assert wrong == [] and asked == [(folder / "index.html").as_uri()], "the page is broken, or is no page of its own"
    # 84 bytes of IP, and the Ethernet header before them.
    assert "cilium: 98 bytes in the frame, 0 of them the tunnel's" in text, "the packet is not the one on the wire"
    assert "native" in text and "Who talks to whom" in text and "cni-migration/probe" in text
    assert "quick, 1 pairs" in text and "new connections failed" in text
    assert (folder / "cilium.pcap").stat().st_size > 100, "nothing to open in Wireshark"
