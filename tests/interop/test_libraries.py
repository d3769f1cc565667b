"""Epic's published page libraries in Chromium: alone on a signalserver, and through the whole chain."""

import pytest

import teststreamer.app
import teststreamer.settings
from tests.integration.signalservers import running_signalserver
from tests.interop.browsers import chromium
from tests.interop.fleet import running_fleet
from tests.interop.libraries import LIBRARIES, UI_LIBRARIES, Library, Pages
from tests.interop.run import ALONE, CUT, ONE_STREAMER, QUEUE, REDIAL, THREE_STREAMERS, Run
from tests.interop.steps import RECONNECT, plays, takes_input
from tests.parts import eventually

pytestmark = pytest.mark.interop

SLICE = ("5.2", "5.7")
"""The versions that `make test` runs: the oldest and the newest."""

every_library = pytest.mark.parametrize("library", LIBRARIES, ids=str)
every_library_two_in_the_slice = pytest.mark.parametrize(
    "library",
    [pytest.param(each, marks=pytest.mark.slice if each.unreal in SLICE else ()) for each in LIBRARIES],
    ids=str,
)


@every_library_two_in_the_slice
async def test_signalserver_alone(library: Library, pages: Pages, run: Run) -> None:
    run.describe(library.peer, ALONE, library.__str__)
    async with running_signalserver() as server, chromium(run) as browser, browser.tab() as tab:
        settings = teststreamer.settings.Settings(url=server.streamer_url, id="alone")
        async with teststreamer.app.running(settings) as streamer:
            await tab.open(pages.url(library, server.player_url))
            await plays(run, tab)
            await takes_input(run, tab, streamer)


@every_library_two_in_the_slice
async def test_one_streamer(library: Library, pages: Pages, run: Run) -> None:
    run.describe(library.peer, ONE_STREAMER, library.__str__)
    async with running_fleet() as fleet, chromium(run) as browser, browser.tab() as tab:
        await tab.open(pages.url(library, fleet.signalling_url))
        await plays(run, tab)
        await takes_input(run, tab, await fleet.serving())


@every_library
async def test_three_streamers(library: Library, pages: Pages, run: Run) -> None:
    run.describe(library.peer, THREE_STREAMERS, library.__str__)
    async with running_fleet(streamers=3) as fleet, chromium(run) as browser, browser.tab() as tab:
        await tab.open(pages.url(library, fleet.signalling_url))
        await plays(run, tab)
        await takes_input(run, tab, await fleet.serving())


@every_library
async def test_queue(library: Library, pages: Pages, run: Run) -> None:
    run.describe(library.peer, QUEUE, library.__str__)
    async with running_fleet() as fleet, chromium(run) as browser, browser.tab() as second:
        url = pages.url(library, fleet.signalling_url)
        async with browser.tab() as first:
            await first.open(url)
            await plays(run, first, "video of the first player")
            with run.step("the second player waits"):
                await second.open(url)
                await eventually(lambda: fleet.demo.matchmaker.queue == 1, "the second player is in the queue")
        await plays(run, second, "video after the first player left")
        await takes_input(run, second, await fleet.serving())


@every_library
async def test_cut(library: Library, pages: Pages, run: Run) -> None:
    run.describe(library.peer, CUT, library.__str__)
    async with running_fleet() as fleet, chromium(run) as browser, browser.tab() as tab:
        await tab.open(pages.url(library, fleet.signalling_url))
        await plays(run, tab)
        with run.step("the socket is cut, and the page dials again"):
            before = {*(await fleet.serving()).players}
            fleet.wire.cut()
            streamer = await fleet.serving_another_than(before)
        await plays(run, tab, "video after the cut")
        await takes_input(run, tab, streamer)


@every_library
async def test_redial(library: Library, pages: Pages, run: Run) -> None:
    run.describe(library.peer, REDIAL, library.__str__)
    async with running_fleet() as fleet, chromium(run) as browser, browser.tab() as tab:
        await tab.open(pages.url(library, fleet.signalling_url))
        await plays(run, tab)
        with run.step("the page calls reconnect()"):
            before = {*(await fleet.serving()).players}
            await tab.evaluate(RECONNECT)
            streamer = await fleet.serving_another_than(before)
        await plays(run, tab, "video after the redial")
        await takes_input(run, tab, streamer)


@pytest.mark.parametrize("library", UI_LIBRARIES, ids=str)
async def test_ui_library(library: Library, pages: Pages, run: Run) -> None:
    run.describe(library.peer, ONE_STREAMER, library.__str__)
    async with running_fleet() as fleet, chromium(run) as browser, browser.tab() as tab:
        await tab.open(pages.url(library, fleet.signalling_url))
        await plays(run, tab)
        await takes_input(run, tab, await fleet.serving())
