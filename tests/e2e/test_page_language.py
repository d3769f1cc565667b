"""The page in the visitor's language, and its mirrored layout in a language that is written from right to left."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from tests.e2e.conftest import playing
from tests.e2e.portraits import sitter
from tests.e2e.script import page_copy, scripted

pytestmark = pytest.mark.e2e

QUEUED = {"type": "matchmaker", "queued": True, "matched": False, "position": 3, "ahead": 2, "etaSeconds": 7200}

SHOWS = "(text) => document.getElementById('title').textContent === text"

ROOT = "() => { const { lang, dir } = document.documentElement; return { lang, dir }; }"

TRANSLATIONS = """() => performance.getEntriesByType('resource')
  .map(({ name }) => new URL(name).pathname).filter((path) => /^.assets.*json$/.test(path))"""

BOX = """(id) => {
  const { left, right } = document.getElementById(id).getBoundingClientRect();
  return { start: innerWidth - right, end: left };
}"""
"""The distances of an element from the edges at which lines start and end in Arabic, in pixels."""


async def test_a_german_visitor_gets_german_with_the_operators_texts_over_it(browser: Browser, tmp_path: Path) -> None:
    branding = {"name": "Acme", "texts": {"step.start": "Go"}, "translations": {"de": {"step.queue": "Schlange"}}}
    async with (
        scripted(page_copy(tmp_path, branding=branding)) as script,
        sitter(browser, script.url, locale="de-AT") as german,
    ):
        script.messages = [QUEUED]
        page = german.page
        await page.reload()
        await page.wait_for_function(SHOWS, arg="Sie sind in der Warteschlange")
        assert await page.evaluate(ROOT) == {"lang": "de", "dir": "ltr"}
        assert await page.title() == "Nr. 3 in der Warteschlange · Acme"
        assert await page.locator("#facts dd").all_text_contents() == ["3", "2", "2 Std."]
        announcement = await page.locator("#live").text_content()
        assert announcement is not None
        assert "2 Personen sind vor Ihnen. Die geschätzte Wartezeit beträgt 2 Stunden." in announcement
        assert await page.locator("#steps li").all_text_contents() == ["Verbinden", "Schlange", "Go"]
        assert len(await page.evaluate(TRANSLATIONS)) == 1, "only one language is loaded"
        await page.goto(f"{script.url}?lang=en")
        await page.wait_for_function(SHOWS, arg="You are in the queue")
        assert await page.evaluate(TRANSLATIONS) == [], "English is a part of the page"


async def test_arabic_is_laid_out_from_right_to_left(browser: Browser) -> None:
    """Take screenshots of the queue and of the controls, each checked with axe."""
    async with scripted() as script, sitter(browser, script.url, path="?lang=ar") as queue:
        script.messages = [QUEUED]
        await queue.page.reload()
        await queue.page.wait_for_function(SHOWS, arg="أنت في قائمة الانتظار")
        assert await queue.page.evaluate(ROOT) == {"lang": "ar", "dir": "rtl"}
        brand: dict[str, Any] = await queue.page.evaluate(BOX, "brand")
        assert brand["start"] < 40
        await queue.portray("arabic-queued")
    async with (
        demo.running(Settings(port=0, streamer_port=0)) as running_demo,
        sitter(browser, running_demo.url, path="?lang=ar") as controls,
    ):
        page = controls.page
        await playing(page)
        await page.get_by_role("button", name="الإعدادات والإحصاءات").click()
        for part in ("dock", "panel"):
            box = await page.evaluate(BOX, part)
            assert box["end"] < 60 < box["start"], f"the {part} is at the left edge"
        await page.wait_for_function("() => /\\d/.test(document.querySelector('#panel-stats dd').textContent)")
        await controls.portray("arabic-controls")
