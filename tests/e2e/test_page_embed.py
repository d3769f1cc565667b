"""The page in another page's frame: allowed origins, allowed functions, and allowed targets of links."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from tests.e2e.conftest import new_page, playing
from tests.e2e.portraits import ROOT
from tests.e2e.script import front_of, page_copy, scripted, serving
from tests.parts import eventually

pytestmark = pytest.mark.e2e

README = ROOT / "player" / "README.md"

PARENT = """<!doctype html><title>A shop</title>
<script>
  window.received = [];
  window.addEventListener('message', ({ origin, data }) => received.push({ origin, data }));
  window.post = (message) => frames[0].postMessage(message, '*');
  let last = 0;
  window.ask = (method, fields) => new Promise((resolve) => {
    const id = ++last;
    window.addEventListener('message', function listen({ data }) {
      if (data.id === id) { window.removeEventListener('message', listen); resolve(data); }
    });
    post({ pixelfleet: 1, id, method, ...fields });
  });
</script>
<iframe src="%s" width="900" height="600" allow="%s"></iframe>"""

PERMISSIONS = "autoplay; fullscreen; gamepad; clipboard-write"

NOT_CONNECTED = {"error": "the stream is not connected"}


@pytest.fixture
async def running_demo() -> AsyncIterator[demo.Demo]:
    async with demo.running(Settings(port=0, streamer_port=0)) as running:
        yield running


@asynccontextmanager
async def embedded(
    browser: Browser,
    tmp_path: Path,
    matchmaker_port: int,
    *,
    listed: bool = True,
    functions: tuple[str, ...] = (),
    permissions: str = PERMISSIONS,
    phase: str = "playing",
    script: str = "",
) -> AsyncIterator[Page]:
    """Open a page of another origin with the player in a frame, and wait until the player is in a phase.

    `listed` is whether the player's settings allow the page, and `permissions` are what the frame gets from it;
    `script` runs in the player before its own.
    """
    player = ""

    async def shop(_: web.Request) -> web.Response:
        return web.Response(text=PARENT % (player, permissions), content_type="text/html")

    app = web.Application()
    app.router.add_get("/", shop)
    async with serving(app) as port:
        origin = f"http://127.0.0.1:{port}"
        settings = {"parents": [origin if listed else "https://shop.test"], "functions": functions}
        folder = page_copy(tmp_path, page=settings)
        async with front_of([f"ws://127.0.0.1:{matchmaker_port}"], folder) as entry, new_page(browser) as page:
            await page.add_init_script(script)
            player = f"http://127.0.0.1:{entry.port}/"
            await page.goto(origin)
            await page.frames[1].wait_for_function("(phase) => window.pixelfleet?.state.phase === phase", arg=phase)
            if listed:
                await received_message(page, "the page is ready", "(m) => m.event === 'ready'")
            yield page


async def received_message(page: Page, what: str, predicate: str) -> Any:
    """Wait for a message to the embedding page and return it."""
    return await eventually(
        lambda: page.evaluate(f"() => received.map(({{ data }}) => data).find(({predicate}))"), what
    )


async def ask(page: Page, method: str, **fields: object) -> dict[str, Any]:
    """Call a method of the player and return its answer without version and id."""
    answer = await page.evaluate("({ method, fields }) => ask(method, fields)", {"method": method, "fields": fields})
    return {name: value for name, value in answer.items() if name not in ("pixelfleet", "id")}


async def test_an_embedding_page_gets_states_and_exchanges_messages_with_the_application(
    browser: Browser, tmp_path: Path, running_demo: demo.Demo
) -> None:
    async with embedded(browser, tmp_path, running_demo.matchmaker.port) as page:
        await received_message(page, "the page is ready", "(m) => m.event === 'ready'")
        await received_message(page, "it plays", "(m) => m.event === 'state' && m.data.phase === 'playing'")
        assert await ask(page, "state") == {"result": {"phase": "playing"}}
        assert await ask(page, "watch", stats=True) == {"result": True}
        stats = await received_message(
            page, "figures", "(m) => m.event === 'stats' && m.data.roundTripMs !== undefined"
        )
        assert stats["data"]["width"] == 1280
        assert stats["data"]["health"] in ("good", "fair", "poor")  # a busy machine drops frames

        async def interacted() -> bool:
            return await ask(page, "interact", value={"colour": "teal"}) == {"result": True}

        await eventually(interacted, "the interaction was sent")
        echo = await received_message(page, "the application's response", "(m) => m.event === 'response'")
        assert "teal" in echo["data"]
        answer = await ask(page, "control", action="level/load", payload={"name": "x"})
        assert "error" in answer  # the demo's signalling server has no application with a REST API
        assert await page.evaluate("() => received.filter(({ data }) => data.pixelfleet === undefined).length") == 0


SEND = ("emitUIInteraction", "emitCommand", "emitSocketInteraction", "sendStartLatencyTest")

CLOSE_CHANNEL = """() => new Promise((done) => {
  const { dataChannel } = window.pixelfleet.stream.webRtcController.sendrecvDataChannelController;
  dataChannel.addEventListener('close', done, { once: true });
  dataChannel.close();
})"""


async def refusals(page: Page, functions: tuple[str, ...]) -> list[str]:
    """Call functions of the legacy protocol and return the names of those that were refused as not connected."""
    await page.evaluate("() => { received.length = 0; }")
    for name in functions:
        await page.evaluate("(name) => post({ invoke: name, args: [name.includes('Socket') ? 'a' : {}] })", name)
    await page.evaluate("() => post({ pixelfleet: 1, method: 'interact', value: 'x' })")
    refused = await received_message(page, "the event", "(m) => m.event === 'refused'")
    assert refused["data"] == {"method": "interact", **NOT_CONNECTED}
    names: list[str] = await page.evaluate(
        """() => received.map(({ data }) => data.notice)
          .filter((notice) => notice?.detail === 'the stream is not connected').map(({ invoke }) => invoke)"""
    )
    return names


async def test_what_a_closed_data_channel_does_not_send_is_refused(
    browser: Browser, tmp_path: Path, running_demo: demo.Demo
) -> None:
    async with embedded(browser, tmp_path, running_demo.matchmaker.port, functions=SEND) as page:

        async def interacted() -> bool:
            return await ask(page, "interact", value="before") == {"result": True}

        await eventually(interacted, "the interaction was sent")
        await page.frames[1].evaluate(CLOSE_CHANNEL)
        assert await ask(page, "state") == {"result": {"phase": "playing"}}
        assert await ask(page, "interact", value="after") == NOT_CONNECTED
        # `control` goes through the server, not through the data channel.
        assert await refusals(page, SEND) == [name for name in SEND if name != "emitSocketInteraction"]


async def test_an_open_data_channel_sends_before_the_video_has_loaded(
    browser: Browser, tmp_path: Path, running_demo: demo.Demo
) -> None:
    unloaded = "Object.defineProperty(HTMLMediaElement.prototype, 'readyState', { get: () => 0 });"
    async with embedded(browser, tmp_path, running_demo.matchmaker.port, script=unloaded) as page:

        async def interacted() -> bool:
            return await ask(page, "interact", value={"colour": "teal"}) == {"result": True}

        await eventually(interacted, "the interaction was sent")
        await received_message(page, "the application's response", "(m) => m.event === 'response'")


@pytest.mark.parametrize(
    ("phase", "message", "close"),
    [
        ("queued", {"type": "matchmaker", "queued": True, "matched": False, "position": 2, "ahead": 1}, None),
        ("waiting", None, (4102, "no room for another connection")),
        ("ended", None, (4202, "the session is over")),
    ],
)
async def test_nothing_is_sent_without_a_streamer_and_the_answer_says_so_at_once(
    browser: Browser, tmp_path: Path, phase: str, message: dict[str, Any] | None, close: tuple[int, str] | None
) -> None:
    async with scripted() as script:
        script.messages, script.closes = [message] if message else [], close
        async with embedded(browser, tmp_path, script.port, functions=SEND, phase=phase) as page:
            assert await ask(page, "interact", value="x") == NOT_CONNECTED
            assert await ask(page, "control", action="level/load") == NOT_CONNECTED
            assert await refusals(page, SEND) == list(SEND)
        assert [each for each in script.received if each["type"] == "control"] == []


async def test_a_frame_without_the_gamepad_permission_has_no_errors(
    browser: Browser, tmp_path: Path, running_demo: demo.Demo
) -> None:
    """Chromium grants it to frames by default, Firefox does not: here it is withdrawn."""
    browser_errors = "window.addEventListener('error', ({ message }) => { (window.errors ??= []).push(message); });"
    port, permissions = running_demo.matchmaker.port, "autoplay; gamepad 'none'"
    async with embedded(browser, tmp_path, port, permissions=permissions, script=browser_errors) as page:
        assert await page.frames[1].evaluate("() => window.errors ?? []") == []


async def test_the_example_in_the_readme_works(browser: Browser, tmp_path: Path, running_demo: demo.Demo) -> None:
    example = re.findall(r"```js\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(example) == 1
    async with embedded(browser, tmp_path, running_demo.matchmaker.port) as page:
        console: list[str] = []
        page.on("console", lambda message: console.append(message.text))
        await received_message(page, "it plays", "(m) => m.event === 'state' && m.data.phase === 'playing'")
        origin = page.frames[1].url.rstrip("/")
        await page.add_script_tag(content=example[0].replace("https://play.example", origin))
        await eventually(lambda: any("teal" in line for line in console), "the application's response is shown")
        await eventually(lambda: len(console) >= 2, "the answer to the call is shown")


async def test_an_unlisted_page_gets_no_messages_and_its_own_are_ignored(
    browser: Browser, tmp_path: Path, running_demo: demo.Demo
) -> None:
    async with embedded(
        browser, tmp_path, running_demo.matchmaker.port, listed=False, functions=("emitUIInteraction",)
    ) as page:
        await page.evaluate("() => post({ pixelfleet: 1, id: 1, method: 'interact', value: 'x' })")
        await page.evaluate("() => post({ invoke: 'emitUIInteraction', args: [{ a: 1 }] })")
        await page.evaluate("() => post({ pixelfleet: 1, id: 2, method: 'state' })")
        # A message of the frame to itself is delivered after all of these.
        await page.frames[1].evaluate(
            "() => new Promise((done) => { window.addEventListener('message', done, { once: true }); postMessage(0); })"
        )
        assert await page.evaluate("() => received") == []
        assert not [entry for entry in running_demo.streamers[0].inputs if entry.kind == "UIInteraction"]


async def test_pages_with_the_legacy_protocol_call_allowed_functions(
    browser: Browser, tmp_path: Path, running_demo: demo.Demo
) -> None:
    async with embedded(browser, tmp_path, running_demo.matchmaker.port, functions=("emitUIInteraction",)) as page:
        await received_message(page, "it plays", "(m) => m.notice?.type === 'player' && m.notice.ok")

        async def echoed() -> bool:
            await page.evaluate("() => post({ invoke: 'emitUIInteraction', args: [{ level: 3 }] })")
            return bool(await page.evaluate("() => received.some(({ data }) => data.response?.includes('level'))"))

        await eventually(echoed, "the application's response")
        await page.evaluate("() => post({ invoke: 'alert', args: ['hello'] })")
        refused = await received_message(page, "a refusal", "(m) => m.notice?.type === 'invoke'")
        assert refused["notice"] == {
            "ok": False,
            "type": "invoke",
            "status": "refused",
            "invoke": "alert",
            "detail": "not allowed",
        }


async def test_a_link_may_select_a_listed_signalling_host(page: Page, tmp_path: Path, running_demo: demo.Demo) -> None:
    other = f"127.0.0.1:{running_demo.router.port}"
    async with scripted(page_copy(tmp_path, page={"signallingHosts": [other]})) as script:
        await page.goto(f"{script.url}?_ws=ws://{other}/ws")
        await playing(page)
        assert script.players == 0


async def test_a_page_without_its_documents_plays(page: Page, tmp_path: Path, running_demo: demo.Demo) -> None:
    folder = page_copy(tmp_path)
    for name in ("page.json", "branding.json"):
        (folder / name).unlink()
    async with front_of([f"ws://127.0.0.1:{running_demo.matchmaker.port}"], folder) as entry:
        await page.goto(f"http://127.0.0.1:{entry.port}/")
        await playing(page)
        assert await page.locator("#brand").text_content() is not None
