"""The methods of the player page for an embedding page: sound, quality, screenshot, full screen, leaving."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Frame, Page

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from tests.documents import ROOT, read
from tests.e2e.test_page_embed import embedded

pytestmark = pytest.mark.e2e

GUIDE: Final = read(ROOT / "docs" / "how-to" / "embedding.md")
PERMISSIONS: Final = re.findall(r'allow="([^"]+)"', GUIDE)[0]
EXAMPLE: Final = re.findall(r"```js\n(.*?)```", GUIDE, re.DOTALL)[0]

USES: Final = {
    "autoplay": r"\.play\(",
    "fullscreen": r"requestFullscreen\(",
    "gamepad": r"getGamepads\(",
    "clipboard-write": r"clipboard\.writeText\(",
    "clipboard-read": r"clipboard\.readText\(",
    "microphone": r"UseMic\b",
    "camera": r"UseCamera\b",
    "xr-spatial-tracking": r"toggleXR\(|WebXRController",
    "screen-wake-lock": r"wakeLock\.",
    "speaker-selection": r"setSinkId\(|selectAudioOutput\(",
    "display-capture": r"getDisplayMedia\(",
    "picture-in-picture": r"requestPictureInPicture\(",
    "keyboard-map": r"getLayoutMap\(",
}
"""What in the page's sources needs each feature."""


def test_the_documented_permissions_have_all_that_the_page_uses() -> None:
    sources = "\n".join(read(path) for path in (ROOT / "player" / "src").rglob("*.ts"))
    needed = {feature for feature, use in USES.items() if re.search(use, sources)}
    assert {"autoplay", "fullscreen", "gamepad", "clipboard-write"} <= needed
    documented = set(PERMISSIONS.split("; "))
    assert needed <= documented
    assert all(f"`{feature}`" in GUIDE for feature in documented)


@pytest.fixture
async def running_demo() -> AsyncIterator[demo.Demo]:
    async with demo.running(Settings(port=0, streamer_port=0)) as running:
        yield running


async def phase_is(frame: Frame, phase: str) -> None:
    await frame.wait_for_function("(phase) => window.pixelfleet?.state.phase === phase", arg=phase)


async def add_example(page: Page) -> Frame:
    """Run the guide's script in the embedding page; return the frame of the player."""
    frame = page.frames[1]
    script = EXAMPLE.replace("https://play.example", frame.url.rstrip("/"))
    await page.add_script_tag(content=f"window.guide = (() => {{ {script}; return ask; }})();")
    return frame


async def test_an_embedding_page_controls_sound_quality_and_session(
    browser: Browser, tmp_path: Path, running_demo: demo.Demo
) -> None:
    async with embedded(browser, tmp_path, running_demo.matchmaker.port, permissions=PERMISSIONS) as page:
        frame = await add_example(page)
        video = "document.querySelector('video')"
        await page.mouse.click(450, 300)  # browsers allow sound only after a click
        assert await page.evaluate("guide('mute', { muted: false })") is True
        assert await frame.evaluate(f"() => {video}.muted") is False
        assert await page.evaluate("guide('mute', { muted: true })") is True
        assert await frame.evaluate(f"() => {video}.muted") is True
        assert await page.evaluate("guide('quality', { quality: 'low' })") is True
        bitrate = "() => window.pixelfleet.stream.config.getNumericSettingValue('WebRTCMaxBitrate')"
        assert await frame.evaluate(bitrate) == 2_000
        image = await page.evaluate(
            "guide('screenshot').then(createImageBitmap).then(({ width, height }) => [width, height])"
        )
        assert image == [1280, 720]
        assert await page.evaluate("guide('leave')") is True
        await phase_is(frame, "ended")
        assert await frame.evaluate("() => window.pixelfleet.state.cause") == "over"
        assert await page.evaluate("guide('retry')") is True
        await phase_is(frame, "playing")


async def test_a_click_on_the_embedding_page_shows_the_player_in_full_screen(
    browser: Browser, tmp_path: Path, running_demo: demo.Demo
) -> None:
    async with embedded(browser, tmp_path, running_demo.matchmaker.port, permissions=PERMISSIONS) as page:
        frame = await add_example(page)
        ask = "guide('fullscreen', { on: true }).catch(({ message }) => message)"
        # Playwright has run scripts in the frame, which count as a click there, and full screen uses that up.
        assert await page.evaluate(ask) is True
        assert await page.evaluate("guide('fullscreen', { on: false })") is True
        assert isinstance(await page.evaluate(ask), str), "a click on the embedding page alone is not enough"
        await page.evaluate(
            """() => {
              const button = document.body.appendChild(document.createElement('button'));
              button.textContent = 'Full screen';
              button.addEventListener('click', () => {
                window.shown = guide('fullscreen', { on: true }, { delegate: 'fullscreen' });
              });
            }"""
        )
        await page.get_by_role("button", name="Full screen").click()
        assert await page.evaluate("() => window.shown") is True
        assert await frame.evaluate("() => document.fullscreenElement === document.documentElement")
        assert await page.evaluate("guide('fullscreen', { on: false })") is True
        assert await frame.evaluate("() => document.fullscreenElement === null")
        await phase_is(frame, "playing")
