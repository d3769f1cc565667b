"""Failures that the page must name: codecs, configurations of the peer connection, proxies, missing files."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, WebSocketRoute, async_playwright

from benchmarks.chromium import CHROMIUM_OPTIONS
from tests.e2e.conftest import WEBSOCKET
from tests.e2e.portraits import SCREENSHOTS, SIZES, Sitter, sitter
from tests.e2e.reverse_proxy import ReverseProxy, reverse_proxy
from tests.e2e.script import Message, Script, scripted
from tests.parts import eventually, require_part

pytestmark = pytest.mark.e2e

CONFIG: Message = {"type": "config", "peerConnectionOptions": {"iceServers": []}}
STREAMERS: Message = {"type": "streamerList", "ids": ["cam"]}

FINGERPRINT = ":".join(["AB"] * 32)

OFFERED = f"""v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:actpass
a=mid:0
a=sendonly
a=rtcp-mux
a=rtpmap:96 H264/90000
a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=7a001f
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
"""
"""An offer of H.264 in the profile High 4:2:2, which no browser decodes."""

OFFER: Message = {"type": "offer", "sdp": OFFERED.replace("\n", "\r\n")}


@dataclass(eq=False)
class Server:
    """A signalling server in the test that sends each player the same messages."""

    messages: list[Message]
    received: list[Message] = field(default_factory=list)
    closes: list[tuple[int | None, str | None]] = field(default_factory=list)
    """The codes and reasons with which the page closed its websockets."""

    def connected(self, socket: WebSocketRoute) -> None:
        """Serve one websocket of the page."""
        socket.on_message(lambda text: self.received.append(json.loads(text)))
        socket.on_close(lambda code, reason: self.closes.append((code, reason)))
        for message in self.messages:
            socket.send(json.dumps(message))

    async def serve(self, sitter: Sitter) -> list[str]:
        """Load the page again, with this as its server; return the list of its uncaught errors."""
        errors: list[str] = []
        sitter.page.on("pageerror", lambda error: errors.append(str(error)))
        await sitter.page.route_web_socket(WEBSOCKET, self.connected)
        await sitter.page.reload()
        return errors

    def reported(self) -> list[Any]:
        """Return the failures that the page has reported for the metrics."""
        stats = [json.loads(each["data"]) for each in self.received if each["type"] == "stats"]
        return [each for each in stats if "failure" in each]


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with scripted() as running:
        yield running


async def test_a_codec_that_the_browser_lacks_is_named_at_once(browser: Browser, script: Script) -> None:
    server = Server([CONFIG, STREAMERS, OFFER])
    async with sitter(browser, script.url) as page:
        errors = await server.serve(page)
        await page.in_state("ended", cause="codec", codec="H264", code=4207)
        await page.page.locator("#detail", has_text="the video codec H.264").wait_for()
        await eventually(lambda: server.closes, "the page closed its websocket")
        assert server.closes == [(4207, "no common video codec: H264")]
        assert server.reported() == [{"failure": "no_codec", "codec": "H264"}]
        assert errors == []
        await page.portray("ended-codec")


@pytest.mark.parametrize(
    ("options", "blamed"),
    [
        ({"iceServers": [{"urls": ["stun:stun.test:99999"]}]}, "Invalid port"),
        ({"iceServers": [], "bundlePolicy": "foo"}, "foo"),
        ({"iceServers": [], "iceCandidatePoolSize": 300}, "iceCandidatePoolSize"),
    ],
)
async def test_a_refused_configuration_is_shown_and_frees_the_streamer(
    browser: Browser, script: Script, options: dict[str, Any], blamed: str
) -> None:
    server = Server([{"type": "config", "peerConnectionOptions": options}, STREAMERS])
    async with sitter(browser, script.url) as page:
        errors = await server.serve(page)
        await page.in_state("ended", cause="configuration", code=4205)
        assert blamed in await page.page.evaluate("() => window.pixelfleet.state.error")
        await eventually(lambda: server.closes, "the page closed its websocket")
        [(code, reason)] = server.closes
        assert code == 4205
        assert reason is not None
        assert reason.startswith("the browser refused the configuration: ")
        assert server.reported() == [{"failure": "config_refused"}]
        assert errors == []
        await page.portray("ended-configuration")


async def test_the_link_is_copied_over_plain_http(script: Script) -> None:
    """The browser has no clipboard API on a page that was loaded over http from another host."""
    options = [*CHROMIUM_OPTIONS, "--host-resolver-rules=MAP play.test 127.0.0.1"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=require_part("chromium"), args=options)
        url = script.url.replace("127.0.0.1", "play.test")
        async with sitter(browser, url, "delete window.RTCPeerConnection;") as page:
            assert await page.page.evaluate("() => navigator.clipboard === undefined")
            await page.page.get_by_role("button", name="Copy link").click()
            await page.page.get_by_role("button", name="Copied").wait_for()
            assert await page.page.evaluate("() => document.activeElement.id") == "primary-action"
            await page.page.evaluate("() => document.body.append(document.createElement('textarea'))")
            await page.page.locator("textarea").last.focus()
            await page.page.keyboard.press("Control+V")
            assert await page.page.locator("textarea").last.input_value() == url
        await browser.close()


async def test_a_link_that_cannot_be_copied_is_shown(browser: Browser, script: Script) -> None:
    forbidden = "navigator.clipboard.writeText = async () => { throw new DOMException('no', 'NotAllowedError'); };"
    no_command = "document.execCommand = () => false;"
    async with sitter(browser, script.url, "delete window.RTCPeerConnection;", forbidden, no_command) as page:
        await page.page.get_by_role("button", name="Copy link").click()
        await page.page.locator("#hint", has_text=script.url).wait_for()
        await page.portray("copy-failed")


def root(script: Script) -> str:
    return script.url.rstrip("/")


async def test_a_proxy_without_upgrade_headers_is_named(browser: Browser, script: Script) -> None:
    proxy = ReverseProxy(root(script), upgrades=False)
    async with reverse_proxy(proxy) as url, sitter(browser, f"{url}/") as page:
        await page.in_state("waiting", cause="upgrade", code=426)
        await page.portray("waiting-upgrade")
        await page.page.get_by_role("button", name="Try now").click()
        await page.in_state("waiting", cause="upgrade", code=426)
        proxy.upgrades = True
        await page.page.get_by_role("button", name="Try now").click()
        await page.in_state("connecting")
        await eventually(lambda: script.players, "the page is connected")


async def test_a_server_behind_a_proxy_without_upgrade_headers_is_asked_twice_only(
    browser: Browser, script: Script
) -> None:
    proxy = ReverseProxy(root(script), upgrades=False)
    async with reverse_proxy(proxy) as url, sitter(browser, f"{url}/") as page:
        await page.in_state("waiting", cause="upgrade")
        await eventually(lambda: len(proxy.methods) >= 6, "the page tried twice more")
        assert proxy.methods[:6] == ["GET", "HEAD", "GET", "HEAD", "GET", "GET"]


async def test_the_answer_of_a_proxy_is_not_taken_for_a_full_server(browser: Browser, script: Script) -> None:
    proxy = ReverseProxy(root(script), bad_gateway=True)
    async with reverse_proxy(proxy) as url, sitter(browser, f"{url}/") as page:
        await page.in_state("waiting", cause="gateway", code=502)
        await page.portray("waiting-gateway")
        proxy.bad_gateway = False
        await eventually(lambda: script.players, "the page has reconnected automatically")


async def test_a_refusal_of_our_own_is_recognized_by_its_header(browser: Browser, script: Script) -> None:
    async with sitter(browser, script.url) as page:
        refusal = {"status": 503, "headers": {"X-Pixelfleet-Refusal": "full"}}
        await page.page.route(WEBSOCKET, lambda route: route.fulfill(**refusal))
        await page.page.route_web_socket(WEBSOCKET, lambda socket: socket.close(code=3000))
        await page.page.add_init_script("window.WebSocket = class extends WebSocket { set onopen(_) {} };")
        await page.page.reload()
        await page.in_state("waiting", cause="full", code=503)


async def test_an_origin_that_the_router_does_not_allow_is_named(browser: Browser) -> None:
    async with scripted(origins=["https://shop.test"]) as script, sitter(browser, script.url) as page:
        await page.in_state("ended", cause="origin", code=403)
        await page.portray("ended-origin")
        assert script.players == 0


@pytest.mark.parametrize("query", ["", "?app=city#top"])
async def test_a_stripped_prefix_without_its_slash_works(browser: Browser, script: Script, query: str) -> None:
    proxy = ReverseProxy(root(script), prefix="/play")
    async with reverse_proxy(proxy) as url, sitter(browser, url, path=f"/play{query}") as page:
        await page.page.wait_for_url(f"{url}/play/{query}")
        await page.in_state("connecting")
        await eventually(lambda: script.players, "the page is connected")


async def test_missing_files_are_named_when_the_proxy_insists_on_no_slash(browser: Browser, script: Script) -> None:
    proxy = ReverseProxy(root(script), prefix="/play", no_slash=True)
    async with reverse_proxy(proxy) as url, sitter(browser, url, path="/play/") as page:
        await page.page.get_by_role("heading", name="This page could not be loaded").wait_for()
        assert await page.page.get_by_role("link").get_attribute("href") == f"{url}/play/"
        assert await page.page.get_by_text(f"{url}/assets/").count() == 1
        assert await page.page.evaluate("() => window.broken") == []
        for size, (width, height) in SIZES.items():
            await page.page.set_viewport_size({"width": width, "height": height})
            await page.page.screenshot(path=SCREENSHOTS / f"missing-files-{size}.png")
