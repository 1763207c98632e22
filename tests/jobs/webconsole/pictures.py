"""Takes the pictures of docs/console.md anew: python -m tests.jobs.webconsole.pictures"""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.jobs.webconsole.browser import browser
from tests.jobs.webconsole.stack import served, watched

DOCS = Path("docs/pictures")


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        watched(Path(scratch)) as (_, stack),
        served(stack) as url,
        browser() as launched,
    ):
        _picture(launched, url, "console", (1280, 1000), "light")
        _picture(launched, url, "console-phone", (390, 1500), "dark")


def _picture(launched: Browser, url: str, name: str, size: tuple[int, int], scheme: str) -> None:
    page = launched.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-US",
    )
    page.goto(url)
    page.get_by_text("1 day").click()
    page.wait_for_selector("#chart-quality canvas")
    page.wait_for_timeout(1000)
    page.screenshot(path=DOCS / f"{name}.png")
    page.close()


if __name__ == "__main__":
    main()
