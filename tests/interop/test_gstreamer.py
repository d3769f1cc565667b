"""Debian's GStreamer as the streamer of the whole chain, for Pixelfleet's page and the published libraries."""

from pathlib import Path

import pytest

from tests.interop.browsers import chromium
from tests.interop.firefox import FIREFOX, firefox
from tests.interop.fleet import running_fleet
from tests.interop.gstreamer import GSTREAMER, gstreamer, gstreamer_version
from tests.interop.libraries import LIBRARIES, Library, Pages
from tests.interop.run import OUR_PAGE, Run
from tests.interop.steps import plays, takes_input

pytestmark = pytest.mark.interop


async def test_our_page(run: Run) -> None:
    run.describe(GSTREAMER, OUR_PAGE, gstreamer_version)
    async with (
        running_fleet(streamers=0) as fleet,
        gstreamer(fleet.streamer_url, "h264", run) as streamer,
        chromium(run) as browser,
        browser.tab() as tab,
    ):
        await tab.open(fleet.page_url)
        await plays(run, tab)
        await takes_input(run, tab, streamer)


@pytest.mark.parametrize("library", LIBRARIES, ids=str)
async def test_library(library: Library, pages: Pages, run: Run) -> None:
    run.describe(GSTREAMER, f"page library {library.unreal}", gstreamer_version)
    async with (
        running_fleet(streamers=0) as fleet,
        gstreamer(fleet.streamer_url, "h264", run) as streamer,
        chromium(run) as browser,
        browser.tab() as tab,
    ):
        await tab.open(pages.url(library, fleet.signalling_url))
        await plays(run, tab)
        await takes_input(run, tab, streamer)


async def test_firefox(run: Run, tmp_path: Path) -> None:
    run.describe(GSTREAMER, f"VP8 to {FIREFOX}", gstreamer_version)
    async with (
        running_fleet(streamers=0) as fleet,
        gstreamer(fleet.streamer_url, "vp8", run) as streamer,
        firefox(run, tmp_path) as browser,
        browser.tab() as tab,
    ):
        await tab.open(fleet.page_url)
        await plays(run, tab)
        await takes_input(run, tab, streamer)
