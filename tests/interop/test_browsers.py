"""Browsers through the whole chain: on Pixelfleet's own page, and Firefox on the published libraries."""

from pathlib import Path

import pytest

from tests.interop.browsers import CHROMIUM, chromium, chromium_version
from tests.interop.firefox import FIREFOX, firefox, firefox_version
from tests.interop.fleet import running_fleet
from tests.interop.libraries import LIBRARIES, Library, Pages
from tests.interop.run import OUR_PAGE, Run
from tests.interop.steps import plays, takes_input

pytestmark = pytest.mark.interop


async def test_chromium(run: Run) -> None:
    run.describe(CHROMIUM, OUR_PAGE, chromium_version)
    async with running_fleet() as fleet, chromium(run) as browser, browser.tab() as tab:
        await tab.open(fleet.page_url)
        await plays(run, tab)
        await takes_input(run, tab, await fleet.serving())


async def test_firefox(run: Run, tmp_path: Path) -> None:
    run.describe(FIREFOX, OUR_PAGE, firefox_version)
    async with running_fleet() as fleet, firefox(run, tmp_path) as browser, browser.tab() as tab:
        await tab.open(fleet.page_url)
        await plays(run, tab)
        await takes_input(run, tab, await fleet.serving())


@pytest.mark.parametrize("library", LIBRARIES, ids=str)
async def test_firefox_with_a_library(library: Library, pages: Pages, run: Run, tmp_path: Path) -> None:
    run.describe(FIREFOX, f"page library {library.unreal}", firefox_version)
    async with running_fleet() as fleet, firefox(run, tmp_path) as browser, browser.tab() as tab:
        await tab.open(pages.url(library, fleet.signalling_url))
        await plays(run, tab)
        await takes_input(run, tab, await fleet.serving())
