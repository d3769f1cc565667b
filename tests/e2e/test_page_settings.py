"""The settings panel, the tools and the URL parameters: each has an effect at the streamer or in the picture."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

import pixelfleet_cli.demo.app as demo
from benchmarks.chromium import CHROMIUM_OPTIONS
from pixelfleet_cli.demo.settings import Settings
from tests.e2e.conftest import new_page, playing
from tests.parts import eventually, require_part
from teststreamer.inputs import Input
from teststreamer.streamer import Streamer

pytestmark = pytest.mark.e2e

FAKE_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

FAKE_PARTS = """
const pad = { id: 'Test pad', index: 0, connected: true, mapping: 'standard', timestamp: 0, axes: [0.5, 0, 0, 0],
  buttons: Array.from({ length: 17 }, (_, index) => ({ pressed: index === 3, touched: false, value: 0 })) };
navigator.getGamepads = () => (window.plugged ? [pad] : []);
window.locks = [];
Object.defineProperty(navigator, 'keyboard', {
  value: { lock: async () => { window.locks.push('lock'); }, unlock: () => { window.locks.push('unlock'); } },
});
Object.defineProperty(navigator, 'xr', {
  value: {
    isSessionSupported: async () => true,
    requestSession: (mode) => { window.xr = mode; return new Promise(() => {}); },
  },
});
"""
"""A gamepad, a keyboard that can be locked, and a headset."""

PHASE = "(phase) => window.pixelfleet?.state.phase === phase"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = require_part("chromium")
    async with async_playwright() as playwright:
        options = [*CHROMIUM_OPTIONS, *FAKE_DEVICES]
        browser = await playwright.chromium.launch(executable_path=chromium, args=options)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(slots=True)
class Visit:
    """A page that plays, and the streamer that it plays."""

    page: Page
    streamer: Streamer

    async def open(self, group: str = "") -> None:
        """Open the panel, and one of its groups."""
        if not await self.page.locator("#panel").is_visible():
            await self.page.keyboard.press("Alt+Shift+C")
            await self.page.locator("#panel-button").click()
            await self.page.locator("#setting-volume").wait_for()
        if group:
            summary = self.page.locator("summary").filter(has_text=group).first
            if await summary.evaluate("(each) => !each.parentElement.open"):
                await summary.click()

    async def close(self) -> None:
        """Close the panel, and give the keys to the application."""
        await self.page.locator("#panel-close").click()
        await self.page.keyboard.press("Escape")

    async def enter(self, setting: str, value: str) -> None:
        field = self.page.locator(f"#setting-{setting}")
        await field.fill(value)
        await field.press("Tab")

    def since(self, before: int, kind: str) -> list[Input]:
        return [entry for entry in list(self.streamer.inputs)[before:] if entry.kind == kind]

    async def commanded(self, command: dict[str, Any]) -> None:
        """Wait until the streamer has received a command."""
        await eventually(
            lambda: any(json.loads(entry.text) == command for entry in self.since(0, "Command")),
            f"the streamer receives {command}",
        )

    async def plays(self) -> None:
        await self.page.wait_for_function(PHASE, arg="playing")
        await playing(self.page)


@pytest.fixture
async def running_demo() -> AsyncIterator[demo.Demo]:
    async with demo.running(Settings(port=0, streamer_port=0)) as running:
        yield running


@pytest.fixture
async def visit(browser: Browser, running_demo: demo.Demo) -> AsyncIterator[Visit]:
    async with new_page(browser) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.add_init_script(FAKE_PARTS)
        await page.goto(running_demo.url)
        visit = Visit(page, running_demo.streamers[0])
        await visit.plays()
        await page.wait_for_function("() => document.documentElement.dataset.branded === 'true'")
        yield visit


async def test_settings_of_the_picture_reach_the_streamer_and_survive_a_negotiation(visit: Visit) -> None:
    page = visit.page
    await visit.open("Picture")
    await visit.enter("WebRTCFPS", "24")
    await visit.commanded({"WebRTC.Fps": 24})
    await visit.enter("WebRTCMaxBitrate", "2500")
    await visit.commanded({"WebRTC.MaxBitrate": 2_500_000})
    await visit.enter("WebRTCMinBitrate", "600")
    await visit.commanded({"WebRTC.MinBitrate": 600_000})
    await visit.enter("CompatQualityMax", "50")
    await visit.commanded({"Encoder.MinQP": 25.5})
    await visit.enter("CompatQualityMin", "900")  # outside of the range
    assert await page.locator("#setting-CompatQualityMin").input_value() == "100"
    await visit.commanded({"Encoder.MaxQP": 0})
    await page.locator("#panel-match").check()
    await visit.enter("ViewportResScale", "50")
    await visit.commanded({"Resolution.Width": 640, "Resolution.Height": 360})
    assert await page.evaluate("() => window.pixelfleet.stream.webRtcController.isQualityController")
    assert await page.locator("#setting-ControlsQuality").is_checked()

    before = len(visit.streamer.inputs)
    await page.locator("#setting-PreferredCodec").select_option("VP8")
    await page.wait_for_function("() => window.pixelfleet.figures?.codec === 'VP8'")
    await visit.plays()
    kept = [json.loads(entry.text) for entry in visit.since(before, "Command")]
    assert {"WebRTC.Fps": 24} in kept
    assert {"WebRTC.MaxBitrate": 2_500_000} in kept


async def test_the_sound_and_the_devices(visit: Visit) -> None:
    page, counts = visit.page, visit.streamer.stage.counts
    await visit.open()
    await page.locator("#setting-volume").fill("40")
    sound = "() => { const { muted, volume } = document.querySelector('video'); return [muted, volume]; }"
    assert await page.evaluate(sound) == [False, 0.4]
    await page.locator("#setting-volume").fill("0")
    assert (await page.evaluate(sound))[0] is True

    await page.locator("#setting-UseMic").check()
    await eventually(lambda: counts["audio frames"] > 0, "the streamer receives the microphone")
    await visit.plays()
    await visit.open("Sound and devices")
    await page.locator("#setting-UseCamera").check()
    await eventually(lambda: counts["video frames"] > 0, "the streamer receives the camera")
    await visit.plays()
    await visit.open("Sound and devices")
    device = page.locator("#setting-audio-device")
    chosen = await device.locator("option").nth(2).get_attribute("value")
    await page.evaluate(
        """() => {
          const { getUserMedia } = MediaDevices.prototype;
          const open = navigator.mediaDevices.getUserMedia;
          window.opened = [];
          navigator.mediaDevices.getUserMedia = async (constraints) => {
            const stream = await open.call(navigator.mediaDevices, constraints);
            window.opened.push(...stream.getTracks().map((track) => track.getSettings().deviceId));
            return stream;
          };
        }"""
    )
    await device.select_option(chosen)
    await page.wait_for_function("(id) => window.opened.includes(id)", arg=chosen)
    await visit.plays()
    await visit.open("Sound and devices")
    sent = """(kinds) => window.pixelfleet.stream.webRtcController.peerConnectionController.peerConnection
      .getSenders().flatMap(({ track }) => track?.kind ?? []).sort().join() === kinds"""
    await page.wait_for_function(sent, arg="audio,video")
    await page.locator("#setting-UseCamera").uncheck()
    await page.locator("#setting-UseMic").uncheck()
    await page.wait_for_function(sent, arg="")  # after a negotiation each


async def test_keyboard_mouse_and_gamepad(visit: Visit) -> None:
    page, streamer = visit.page, visit.streamer
    await visit.open("Keyboard, mouse")
    await page.evaluate("() => { window.plugged = true; }")
    await page.get_by_text("Test pad: buttons 3, axes 0.5, 0.0, 0.0, 0.0").wait_for()
    await page.locator("#setting-KeyboardInput").uncheck()
    await page.locator("#setting-MouseInput").uncheck()
    await page.locator("#setting-all-keys").check()
    await visit.close()
    before = len(streamer.inputs)
    await page.keyboard.press("w")
    await page.mouse.click(300, 200)
    await visit.open("Keyboard, mouse")
    await page.locator("#setting-KeyboardInput").check()
    await page.locator("#setting-MouseInput").check()
    await page.locator("#setting-HoveringMouse").select_option("locked")
    await visit.close()
    await page.keyboard.press("e")
    await eventually(lambda: visit.since(before, "KeyDown"), "the streamer receives keys again")
    assert [entry.key for entry in visit.since(before, "KeyDown") if entry.key in ("W", "E")] == ["E"]
    assert visit.since(before, "MouseDown") == []

    await page.mouse.click(300, 200)
    await page.wait_for_function("() => document.pointerLockElement?.id === 'stage'")

    async def moved() -> bool:
        """Move the mouse to and fro: the library listens to it some time after the capture."""
        await page.mouse.move(340, 220)
        await page.mouse.move(300, 200)
        return bool(visit.since(before, "MouseMove"))

    await eventually(moved, "the streamer receives the captured mouse")
    await page.evaluate("() => document.exitPointerLock()")
    await page.keyboard.press("Alt+Shift+C")
    await page.locator("#fullscreen").click()
    await page.wait_for_function("() => window.locks.at(-1) === 'lock'")
    await page.locator("#fullscreen").click()
    await page.wait_for_function("() => window.locks.at(-1) === 'unlock'")


async def test_the_tools(visit: Visit) -> None:
    page, streamer = visit.page, visit.streamer
    await visit.open("Tools")
    async with page.expect_download() as download:
        await page.locator("#setting-screenshot").click()
    image = await download.value
    assert image.suggested_filename.startswith("stream-")
    content = await asyncio.to_thread(Path(await image.path()).read_bytes)
    assert content.startswith(b"\x89PNG")
    assert (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")) == (1280, 720)

    before = len(streamer.inputs)
    await page.evaluate("() => navigator.clipboard.writeText('a\\u00e9')")
    await page.locator("#setting-paste").click()
    await eventually(
        lambda: [entry.key for entry in visit.since(before, "KeyPress")] == ["a", "é"], "the streamer receives the text"
    )
    await page.locator("#setting-vr").click()
    assert await page.evaluate("() => window.xr") == "immersive-vr"
    await page.locator("#setting-show-fps").click()
    await visit.commanded({"stat.fps": ""})
    await page.locator("#setting-keyframe").click()
    await page.wait_for_function("() => window.pixelfleet.figures?.framesPerSecond !== undefined")
    await page.locator("#setting-restart").click()
    await page.wait_for_function(PHASE, arg="starting")
    await visit.plays()
    await visit.open("All figures")
    await page.get_by_text("framesDecoded", exact=True).wait_for()


async def test_leaving_frees_the_streamer_and_offers_a_new_session(visit: Visit) -> None:
    page = visit.page
    await page.keyboard.press("Alt+Shift+C")
    await page.get_by_role("button", name="Leave the stream").click()
    await page.get_by_role("heading", name="Your session has ended").wait_for()
    await eventually(lambda: not visit.streamer.players, "the streamer has no player")
    await page.get_by_role("button", name="Play again").click()
    await visit.plays()


async def test_files_reach_an_application_that_asks_for_them(visit: Visit) -> None:
    page, streamer = visit.page, visit.streamer
    drop = """([name, size]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(size).fill(7)], name, { type: 'image/png' }));
      const event = new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true });
      document.querySelector('#stage').dispatchEvent(event);
      return event.defaultPrevented;
    }"""
    assert not await page.evaluate(drop, ["unasked.png", 10])
    streamer.respond(json.dumps({"pixelfleet": "files", "accept": True, "types": ["image/*"], "maxBytes": 20_000}))
    await page.get_by_text("The application asks for a file, up to 0.1 MB").wait_for()
    assert await page.evaluate(drop, ["large.png", 20_001])
    await page.get_by_text("does not accept this file").wait_for()
    await page.evaluate(drop, ["small.png", 20_000])
    sent = "the streamer receives the file"

    def messages() -> list[dict[str, Any]]:
        return [json.loads(entry.text) for entry in visit.since(0, "UIInteraction")]

    await eventually(lambda: messages() and messages()[-1]["pixelfleet"] == "file-end", sent)
    first, *parts, last = messages()
    assert first == {
        "pixelfleet": "file",
        "file": 1,
        "name": "small.png",
        "type": "image/png",
        "size": 20_000,
        "parts": 2,
    }
    assert [part["part"] for part in parts] == [0, 1]
    assert last == {"pixelfleet": "file-end", "file": 1}
    streamer.respond('{"pixelfleet": "files", "accept": false}')
    await page.locator("#file-request").wait_for(state="hidden")


async def test_parameters_of_epics_page_are_honoured(browser: Browser, running_demo: demo.Demo) -> None:
    async with new_page(browser) as page:
        parameters = (
            "WebRTCFPS=25&MinQP=11&MaxQP=44&WebRTCMaxBitrate=2400&preferredcodec=vp8&HoveringMouse=false&HideUI"
        )
        await page.goto(f"{running_demo.url}?{parameters}")
        visit = Visit(page, running_demo.streamers[0])
        await visit.plays()
        await visit.commanded({"WebRTC.Fps": 25})
        await visit.commanded({"Encoder.MinQP": 11})
        await visit.commanded({"Encoder.MaxQP": 44})
        await visit.commanded({"WebRTC.MaxBitrate": 2_400_000})
        await page.wait_for_function("() => window.pixelfleet.figures?.codec === 'VP8'")
        assert not await page.evaluate("() => window.pixelfleet.stream.config.isFlagEnabled('HoveringMouse')")
        assert not await page.locator("#dock").is_visible()
