"""The console in a headless browser: how soon it shows fifty services, and how smoothly a week of data moves."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

from bench.rows import Row, at_most, below, figure
from tests.jobs.webconsole.browser import browser
from tests.jobs.webconsole.stack import served, watched

SERVICES = 50
ROUNDS = 7
STEPS = 150

_PAINT_MS = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
# Milliseconds between frames until they are asked for.
_WATCH = """() => {
  window.frames_ = []; let last = performance.now();
  const look = (now) => { window.frames_.push(now - last); last = now; window.looking = requestAnimationFrame(look); };
  window.looking = requestAnimationFrame(look);
}"""
_WATCHED = "() => { cancelAnimationFrame(window.looking); return window.frames_.slice(1); }"


def console() -> Iterator[Row]:
    """Fifty services that run, one of them with a week of values of every minute."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        # Three are always there: one of them is not deployed.
        watched(Path(scratch), SERVICES - 2) as (_, stack),
        served(stack) as url,
        browser() as launched,
    ):
        paints, shown = zip(*(_opened(launched, url) for _ in range(ROUNDS)), strict=True)
        yield below(f"console: first paint, {SERVICES} services", statistics.median(paints), "s", limit=1)
        yield figure(f"console: services and charts shown, {SERVICES} services", statistics.median(shown), "s")
        page = _page(launched, url)
        at_rest = _frames(page, moving=False)
        with page.expect_response("**/metrics?range=7d"):
            page.get_by_text("7 days").click()
        page.wait_for_timeout(500)
        moving = _frames(page, moving=True)
        name = "console: slowest frame in twenty, the cursor moves over a week of data, beside a page at rest"
        yield at_most(name, _slow(moving), "ms", baseline=_slow(at_rest), ratio=1.5)


def _page(launched: Browser, url: str) -> Page:
    page = launched.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
    page.goto(url)
    page.wait_for_selector("#chart-memory canvas")
    return page


def _opened(launched: Browser, url: str) -> tuple[float, float]:
    """Seconds until the first paint, and until everything is there."""
    page = _page(launched, url)
    paint, shown = page.evaluate(_PAINT_MS), page.evaluate("performance.now()")
    page.close()
    return paint / 1000, shown / 1000


def _frames(page: Page, *, moving: bool) -> list[float]:
    box = page.locator("#chart-qps .u-over").bounding_box()
    assert box is not None  # noqa: S101 - it is on the page
    page.evaluate(_WATCH)
    for step in range(STEPS):
        if moving:
            page.mouse.move(box["x"] + box["width"] * step / STEPS, box["y"] + box["height"] / 2)
        else:
            page.wait_for_timeout(10)
    frames: list[float] = page.evaluate(_WATCHED)
    return frames


def _slow(frames: list[float]) -> float:
    return statistics.quantiles(frames, n=20, method="inclusive")[-1]
