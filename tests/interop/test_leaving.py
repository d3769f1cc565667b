"""In Firefox a link to a download closes the websockets of a page that stays."""

from pathlib import Path

import pytest
from aiohttp import web

from router.settings import PAGE
from tests.e2e.script import serving
from tests.integration.conftest import running_chain
from tests.integration.test_endings import ended
from tests.interop.firefox import firefox
from tests.interop.run import Run
from tests.parts import eventually

pytestmark = pytest.mark.interop


async def attachment(_: web.Request) -> web.Response:
    return web.Response(body=b"file", headers={"Content-Disposition": 'attachment; filename="file.bin"'})


async def test_the_page_waits_again_after_a_click_on_a_download(run: Run, tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/", attachment)
    async with (
        serving(app) as port,
        running_chain(PAGE) as chain,
        firefox(run, tmp_path) as browser,
        browser.tab() as tab,
    ):
        await tab.open(chain.page_url)
        await eventually(lambda: chain.matches.queue == 1, "the page waits")
        await tab.evaluate("(url) => { location.href = url; }", f"http://127.0.0.1:{port}/")

        async def closed() -> bool:
            return await ended(chain.entry.metrics_port, "router") == {"closed": 1.0}

        async def waits() -> bool:
            return bool(await tab.evaluate("() => window.pixelfleet.state.phase") == "queued")

        await eventually(closed, "Firefox closed the websocket")
        await eventually(lambda: len(chain.entry.players) == chain.matches.queue == 1, "the page is back in the queue")
        await eventually(waits, "the page shows that it waits")
