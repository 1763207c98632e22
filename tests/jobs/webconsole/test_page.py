"""The console in a real headless browser, as a person uses it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.jobs.webconsole.browser import NoBrowserError, browser

WIDTHS = {"wide": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    try:
        with browser() as launched:
            yield launched
    except NoBrowserError as missing:
        pytest.skip(str(missing))


def _complains(message: ConsoleMessage) -> bool:
    """What the server refuses is the browser's to mention, and the page's to tell."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    """The page, opened; whatever it complains about fails the test."""
    complaints: list[str] = []
    opened = chromium.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if _complains(message) else None)
    opened.goto(url)
    expect(opened.locator("#chart-qps canvas")).to_be_visible()
    yield opened
    opened.close()
    assert complaints == []


def test_it_opens_with_the_first_service_and_what_fires(page: Page) -> None:
    expect(page).to_have_title("(1) dev · Paistack")
    expect(page.locator("#service-title")).to_have_text("Service shop")
    expect(page.locator("#services li")).to_have_count(3)
    expect(page.locator("#firing")).to_contain_text("emergency: shop, accuracy_percent")
    expect(page.locator("#splits")).to_contain_text("old 90 %")
    expect(page.locator("#tiles")).to_contain_text("2 of 2")
    expect(page.locator("#plan-text")).to_contain_text("1 to 4 replicas, target per replica: qps 50.")
    expect(page.locator("#plan-text")).to_contain_text("Plan by seasons until")
    expect(page.locator("#chart-plan-load .legend")).to_contain_text("expected: ")
    expect(page.locator("#chart-plan-replicas canvas")).to_be_visible()
    expect(page.locator("#chart-quality .legend")).to_contain_text("accuracy: 71, at most 88")


def test_what_the_emulator_would_have_sent_can_be_read(page: Page) -> None:
    page.get_by_text("Outbox of the emulator").click()
    expect(page.locator("#sent")).to_contain_text("[Critical] paistack-dev-shop-accuracy_percent")
    expect(page.locator("#sent")).to_contain_text("DING")


def test_another_service_is_chosen_by_keyboard_and_kept_in_the_address(page: Page) -> None:
    page.locator("#filter").fill("tri")
    expect(page.locator("#services li")).to_have_count(1)
    page.locator("#filter").press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#service-title")).to_have_text("Service trial")
    expect(page.locator("#replicas tbody tr")).to_have_count(1)
    expect(page.locator("#plan")).to_be_hidden()
    page.reload()
    expect(page.locator("#service-title")).to_have_text("Service trial")


def test_a_service_that_is_not_deployed_is_shown_as_such(page: Page) -> None:
    page.get_by_role("link", name="dormant").click()
    expect(page.locator("#tiles")).to_contain_text("NotDeployed")
    expect(page.locator("#replicas tbody tr")).to_have_count(0)
    expect(page.locator("#problem")).to_be_hidden()


def test_logs_are_searched_and_what_is_wrong_with_a_search_is_told(page: Page) -> None:
    page.get_by_label("Since").fill("1h")
    page.get_by_label("Text").fill("hidden")
    page.get_by_label("Text").press("Enter")
    expect(page.locator("#found")).to_have_text("1 lines")
    expect(page.locator("#lines li")).to_contain_text("/hidden?status=500")
    page.get_by_label("Since").fill("soon")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#found")).to_contain_text("--since: found 'soon'; give a time such as 15m")


def test_a_week_is_drawn_and_read_at_the_cursor(page: Page) -> None:
    page.get_by_text("7 days").click()
    expect(page.locator("#chart-qps .legend")).to_contain_text("at most 1")
    place = page.locator("#chart-qps .u-over")
    place.hover(position={"x": 60, "y": 40})
    expect(page.locator("#chart-qps .legend")).not_to_contain_text("at most")
    expect(page.locator("#chart-latency .legend")).not_to_contain_text("at most")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen_and_text_can_be_read(
    chromium: Browser, url: str, width: str, scheme: str
) -> None:
    size = {"width": WIDTHS[width][0], "height": WIDTHS[width][1]}
    page = chromium.new_page(viewport=size, color_scheme=scheme, locale="en-US")  # type: ignore[arg-type]
    page.goto(url)
    expect(page.locator("#chart-qps canvas")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate(CONTRASTS) == []
    page.close()


# WCAG 2.2, 1.4.3: text has a contrast of at least 4.5 with what is behind it.
CONTRASTS = """
() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => {
    const linear = (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = parts(text).map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const bad = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.getClientRects().length || element.closest("[aria-hidden]")) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(`${element.tagName} ${element.className} ${element.textContent}`);
  }
  return bad;
}
"""


def test_every_field_has_a_name_and_every_table_says_what_it_holds(page: Page) -> None:
    for field in page.locator("input:not([type=radio]), select, button").all():
        assert field.evaluate("element => element.labels?.length || element.textContent.trim().length"), field
    for table in page.locator("table").all():
        assert table.locator("caption").count() == 1


def test_a_console_that_cannot_read_says_so_and_recovers(page: Page) -> None:
    page.route("**/api/stack", lambda route: route.fulfill(status=502, json={"error": "Throttling: slow down"}))
    page.get_by_text("6 hours").click()
    expect(page.locator("#problem")).to_have_text("Not up to date: Throttling: slow down")
    page.unroute("**/api/stack")
    page.get_by_text("1 day").click()
    expect(page.locator("#problem")).to_be_hidden()
