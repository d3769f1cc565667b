"""Firefox keeps its session when it loses its connection, closes it for a download, and loads the page again."""

from pathlib import Path

import pytest
from aiohttp import web

from tests.e2e.resuming_fleet import fleet
from tests.e2e.script import serving
from tests.interop.browsers import Tab
from tests.interop.firefox import firefox
from tests.interop.run import Run
from tests.interop.test_leaving import attachment
from tests.parts import eventually

pytestmark = pytest.mark.interop

PLAYING = """() => window.pixelfleet?.state.phase === 'playing' && !window.pixelfleet.state.away
  && sessionStorage.getItem('pixelfleet.session') !== null"""


async def test_the_session_outlives_connections_and_pages(run: Run, tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/", attachment)
    async with serving(app) as port, fleet() as running, firefox(run, tmp_path) as browser, browser.tab() as tab:
        await tab.open(running.url)
        await plays(tab)
        before, opened = running.players, running.network.opened
        running.network.cut()
        await eventually(lambda: running.network.opened > opened, "the page has connected again")
        await plays(tab)
        opened = running.network.opened
        await tab.evaluate("(url) => { location.href = url; }", f"http://127.0.0.1:{port}/")
        await eventually(lambda: running.network.opened > opened, "the page has connected again after the download")
        await plays(tab)
        assert running.players == before
        mine = next(number for number, players in enumerate(before) if players)
        [player] = before[mine]
        await tab.evaluate("() => { location.reload(); }")
        await eventually(lambda: running.players[mine].keys() - {player}, "the reloaded page has its streamer back")
        await plays(tab)
        assert running.players[1 - mine] == {}


async def plays(tab: Tab) -> None:
    async def playing() -> bool:
        return bool(await tab.evaluate(PLAYING))

    await eventually(playing, "the page plays")
