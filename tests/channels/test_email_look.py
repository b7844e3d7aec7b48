"""The message in a real browser, light and dark, wide and narrow."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from mailer.channels.email.channel import channel
from tests.channels.email_samples import MARKDOWN, a_copy, a_recipient

pytestmark = pytest.mark.browser

EVERYTHING = MARKDOWN + "\n\n### Small\n\n> said `code` twice\n\n```\npre\n```\n\n1. one\n\n**[bold](https://a.example)**"

MEASURE = """() => {
  const channel = value => { value /= 255; return value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4 };
  const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
    return .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b) };
  const ground = element => { for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if (!/, 0\\)$|transparent/.test(colour)) return colour } return 'rgb(255, 255, 255)' };
  const seen = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, words = walker.currentNode.textContent.trim();
    if (!words || !element.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
    seen.push([words, (a + .05) / (b + .05), parseFloat(getComputedStyle(element).fontSize)]) }
  return { seen, wide: document.documentElement.scrollWidth - window.innerWidth } }"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "these tests need Chromium: install the package chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 720])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_word_can_be_read_and_the_way_out_is_seen(
        browser: Browser, width: int, scheme: str, language: str) -> None:
    """Promise T19; WCAG 2.2 §1.4.3: contrast of at least 4.5, no word smaller than 13 px."""
    page = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=True)
    page.route("**/*", lambda route: route.abort())
    page.set_content(channel.preview_html(a_copy(markdown=EVERYTHING, language=language), a_recipient()))
    result = page.evaluate(MEASURE)
    page.close()
    assert result["wide"] <= 0
    assert {"Unsubscribe", "Preferences", "See what is new", "said"} <= {words for words, _, _ in result["seen"]}
    assert [found for found in result["seen"] if found[1] < 4.5 or found[2] < 13] == []
