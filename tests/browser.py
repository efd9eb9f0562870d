"""A page as a real browser shows it: Chromium, driven by playwright; tests are skipped where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (1280, 390)  # px, of a screen on a desk and of a telephone

# the contrast of every text that is shown with what is behind it, as WCAG 2 defines it, where it is below 4.5
CONTRASTS = """() => {
  const parts = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = (colour) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = parts(colour).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const cell = node.matches("svg .light, svg .dark") && node.previousElementSibling;
    if (cell) return getComputedStyle(cell).fill;
    for (let one = node; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !node.getClientRects().length) continue;
    if (["SCRIPT", "NOSCRIPT", "OPTION"].includes(node.tagName)) continue;
    const style = getComputedStyle(node);
    const colour = node.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [a, b] = [light(colour), light(behind(node))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push(`${contrast.toFixed(2)}: ${walk.currentNode.data.trim()}`);
  }
  return found;
}"""


class Window:
    """Opens pages, and keeps what went wrong in them."""

    def __init__(self, browser: Any) -> None:
        self.browser, self.errors = browser, list[str]()

    def open(self, path: Path, place: str = "", width: int = WIDTHS[0]) -> Any:
        """The page of an HTML file, of the given width, at a hash such as `#scores`."""
        page = self.browser.new_page(viewport={"width": width, "height": 900})
        page.on("console", lambda one: self.errors.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("requestfailed", lambda request: self.errors.append(f"{request.url}: {request.failure}"))
        page.on("request", lambda one: self.errors.append(one.url) if one.url.startswith("http") else None)
        page.goto(f"{path.absolute().as_uri()}{place}")
        return page


@contextmanager
def browsing() -> Iterator[Any]:
    """A running browser; the test is skipped, with the reason, if there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: install the extra `test`")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser found (looked for {', '.join(NAMES)})")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to start for root with its sandbox
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=sandbox)
        yield browser
        browser.close()


# whether every plot is drawn, and every table of numbers that was opened is filled
DRAWN = """() => [...document.querySelectorAll("figure svg[role=img]")].every((one) => one.hasAttribute("viewBox"))
  && [...document.querySelectorAll("details[open]")].every((one) => one.children.length > 1)"""


def overflow(page: Any) -> int:
    """By how many px the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
