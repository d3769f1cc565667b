"""The npm package of the player, and the examples of its guide in a browser, on a page of another origin."""

import gzip
import json
import posixpath
import re
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from aiohttp import web
from playwright.async_api import Page, expect

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from tests.documents import ROOT
from tests.e2e.conftest import playing
from tests.e2e.script import front_of, serving
from tests.parts import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.e2e

expect.set_options(timeout=1000 * PATIENCE_SECONDS)

EXAMPLES: Final = ROOT / "tests" / "package" / "dist"

MAX_COMPRESSED: Final = 30_000
"""The core, the element and the component together, without Epic's library, in bytes."""


@pytest.fixture
async def running_demo() -> AsyncIterator[demo.Demo]:
    async with demo.running(Settings(port=0, streamer_port=0)) as running:
        yield running


@asynccontextmanager
async def example(name: str, matchmaker_port: int) -> AsyncIterator[str]:
    """Serve an example, with the address of a router in place of the guide's; yield the address of its page."""
    address = ""

    async def serve(request: web.Request) -> web.Response:
        path = EXAMPLES / name / (request.match_info["path"] or "index.html")
        kind = "text/html" if path.suffix == ".html" else "text/javascript"
        return web.Response(text=path.read_text().replace("https://play.example/", address), content_type=kind)

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    async with serving(app) as port:
        origin = f"http://127.0.0.1:{port}"
        async with front_of([f"ws://127.0.0.1:{matchmaker_port}"], origins=[origin]) as router:
            address = f"http://127.0.0.1:{router.port}/"
            yield f"{origin}/"


@pytest.mark.parametrize("name", ["html", "react", "vue"])
async def test_an_example_of_the_guide_plays_leaves_and_returns_to_its_session(
    page: Page, running_demo: demo.Demo, name: str
) -> None:
    dialled: list[str] = []
    errors: list[str] = []
    page.on("websocket", lambda socket: dialled.append(socket.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    async with example(name, running_demo.matchmaker.port) as address:
        await page.goto(address)
        state = page.locator("output")
        await expect(state).to_have_text("playing")
        await playing(page)
        await page.reload()
        await expect(state).to_have_text("playing")
        await playing(page)
        assert "resume=1" in dialled[0]
        assert "fresh=1" in dialled[-1], "after a reload it returns to its session"
        await page.locator("#leave").click()
        await expect(state).to_have_text("ended over")
        await page.locator("#play").click()
        await expect(state).to_have_text("playing")
        await playing(page)
        assert errors == []


async def test_the_element_controls_its_stream_and_ends_it_with_the_document(
    page: Page, running_demo: demo.Demo
) -> None:
    closed: list[str] = []
    page.on("websocket", lambda socket: socket.on("close", lambda _: closed.append(socket.url)))
    async with example("html", running_demo.matchmaker.port) as address:
        await page.goto(address)
        await expect(page.locator("pixelfleet-player[data-phase=playing]")).to_be_visible()
        await playing(page)
        size = await page.evaluate(
            """async () => {
              const image = await createImageBitmap(await document.querySelector('pixelfleet-player').screenshot());
              return [image.width, image.height];
            }"""
        )
        assert size == [1280, 720]
        text = await page.evaluate(
            """() => new Promise((resolve) => {
              const player = document.querySelector('pixelfleet-player');
              player.addEventListener('player-response', ({ detail }) => resolve(detail));
              const send = () => player.interact({ colour: 'teal' }) || setTimeout(send, 50);
              send();
            })"""
        )
        assert "teal" in text
        # Keys that are typed elsewhere on the page are not for the application.
        keys = "() => document.querySelector('pixelfleet-player').core.stream.config.isFlagEnabled('KeyboardInput')"
        assert await page.evaluate(keys) is False
        await page.locator("pixelfleet-player").focus()
        assert await page.evaluate(keys) is True
        await page.keyboard.press("Alt+Shift+C")
        assert await page.evaluate(keys) is False
        await page.evaluate("() => document.querySelector('pixelfleet-player').remove()")
        await eventually(lambda: len(closed) == 1, "the element has left the server")
        assert await page.locator("video").count() == 0


def test_the_packed_files_are_those_of_the_package_and_within_their_size() -> None:
    (archive,) = (EXAMPLES / "packed").glob("pixelfleet-player-*.tgz")
    with tarfile.open(archive) as packed:
        names = {member.name.removeprefix("package/") for member in packed.getmembers()}
        texts = {name: packed.extractfile(f"package/{name}").read().decode() for name in names}  # type: ignore[union-attr]
    manifest = json.loads(texts["package.json"])
    assert {name for name in names if "/types/" not in name and "shared-" not in name} == {
        "LICENSE",
        "README.md",
        "licenses.txt",
        "package.json",
        *(f"dist/{each}.js" for each in ("core", "element", "react", "standalone")),
    }
    targets = [each.values() for each in manifest["exports"].values() if isinstance(each, dict)]
    exported = [path for each in targets for path in each]
    assert all(path.removeprefix("./") in names for path in exported)
    for name in names:
        for imported in re.findall(r"""(?:from|import)\(?\s*["'](\.[^"']+)""", texts[name]):
            wanted = posixpath.normpath(f"{posixpath.dirname(name)}/{imported}")
            # TypeScript finds the declarations of a.js in a.d.ts.
            assert {wanted, wanted.removesuffix(".js") + ".d.ts"} & names, f"{name} imports {imported}"
    scripts = [texts[name] for name in names if name.endswith(".js") and name != "dist/standalone.js"]
    assert all("://" not in script for script in scripts)
    compressed = sum(len(gzip.compress(script.encode())) for script in scripts)
    assert compressed <= MAX_COMPRESSED, f"{compressed} bytes"
    assert "lib-pixelstreamingfrontend" in texts["licenses.txt"]
