"""The page's controls with a mouse, a keyboard only, and a touch screen; and the size of the page."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Response, Route

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from router.settings import PAGE
from tests.e2e.conftest import WEBSOCKET, new_page, playing
from tests.e2e.portraits import SCREENSHOTS
from tests.e2e.script import Script, page_copy, scripted
from tests.parts import eventually
from teststreamer.inputs import Input

pytestmark = pytest.mark.e2e

HEARD = """async () => {
  const { peerConnection } = window.pixelfleet.stream.webRtcController.peerConnectionController;
  const reports = [...(await peerConnection.getStats()).values()];
  return reports.some(({ type, kind, totalAudioEnergy }) =>
    type === 'inbound-rtp' && kind === 'audio' && totalAudioEnergy > 0.0001);
}"""
"""Whether the browser has decoded sound that is not silence."""

SCRIPT_BYTES = 110 * 1024
"""Limit of the size of the page's scripts together, gzipped."""

SHORTCUT_KEYS = (16, 18)
"""Shift and Alt, which the application receives as well when they open the controls."""

FOCUSED = "() => document.activeElement?.id"


@pytest.fixture
async def running_demo() -> AsyncIterator[demo.Demo]:
    async with demo.running(Settings(port=0, streamer_port=0)) as running:
        yield running


@pytest.fixture
async def branded(tmp_path: Path) -> AsyncIterator[Script]:
    folder = page_copy(tmp_path)
    (folder / "branding.json").write_text(
        """{"name": "Acme Studio", "language": "de", "logo": "mark.svg",
            "colours": {"light": {"accent": "#aa3300"}}, "texts": {"connecting.title": "Verbinden"}}"""
    )
    (folder / "branding").mkdir()
    (folder / "branding" / "mark.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="20"><rect width="80" height="20"/></svg>'
    )
    async with scripted(folder) as running:
        yield running


async def started(page: Page, running: demo.Demo) -> Page:
    """Open the page and wait until its key events reach the streamer."""
    await page.goto(running.url)
    await playing(page)
    await page.wait_for_function("() => window.pixelfleet.state.phase === 'playing'")
    await page.wait_for_function("() => document.documentElement.dataset.branded === 'true'")

    async def key_received() -> bool:
        await page.keyboard.press("w")
        return any(entry.kind == "KeyDown" for entry in running.streamers[0].inputs)

    await eventually(key_received, "the streamer receives keys")
    return page


def held(inputs: list[Input]) -> set[int]:
    """Return the keys that are pressed according to the streamer's input."""
    keys: set[int] = set()
    for entry in inputs:
        if entry.kind == "KeyDown":
            keys.add(int(entry.values["key"]))
        elif entry.kind == "KeyUp":
            keys.discard(int(entry.values["key"]))
    return keys


async def test_controls_are_reached_by_keyboard_and_their_keys_are_not_sent_to_the_application(
    page: Page, running_demo: demo.Demo
) -> None:
    await started(page, running_demo)
    streamer = running_demo.streamers[0]
    await page.keyboard.press("Alt+Shift+C")
    await page.locator("#sound").wait_for()  # it appears with the first statistics
    await page.keyboard.press("Alt+Shift+C")
    assert await page.evaluate(FOCUSED) == "sound"
    await page.keyboard.press("Tab")
    assert await page.evaluate(FOCUSED) == "panel-button"
    await eventually(lambda: held(streamer.inputs) == set(), "the application received the release of Alt and Shift")
    await page.keyboard.press("Enter")
    assert await page.evaluate(FOCUSED) == "panel"
    before = len(streamer.inputs)
    for _ in range(2):
        await page.keyboard.press("Tab")
    assert await page.evaluate(FOCUSED) == "panel-quality"
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Escape")
    assert await page.evaluate(FOCUSED) == "panel-button"
    await page.keyboard.press("Escape")
    assert await page.evaluate(FOCUSED) == "stage"
    assert not [entry for entry in streamer.inputs[before:] if entry.kind.startswith("Key")]
    await page.keyboard.press("q")
    await eventually(
        lambda: [entry for entry in streamer.inputs[before:] if entry.kind == "KeyDown"],
        "the application receives keys again",
    )


async def test_announcements_and_labels_for_screen_readers(page: Page, running_demo: demo.Demo) -> None:
    await started(page, running_demo)
    live = page.locator("#live")
    assert await live.inner_text() == "The stream is playing. Press Alt+Shift+C to open the controls."
    for button in await page.get_by_role("button").all():
        assert await button.get_attribute("aria-label") or await button.inner_text()


async def test_the_controls_collapse_and_expand(page: Page, running_demo: demo.Demo) -> None:
    await started(page, running_demo)
    handle = page.locator("#dock-toggle")
    assert await handle.get_attribute("aria-expanded") == "true"
    await page.wait_for_function(
        "() => document.querySelector('#dock-toggle').getAttribute('aria-expanded') === 'false'"
    )
    await handle.click()
    assert await page.locator("#tools").is_visible()


async def test_full_screen_and_back(page: Page, running_demo: demo.Demo) -> None:
    await started(page, running_demo)
    await page.keyboard.press("Alt+Shift+C")
    await page.get_by_role("button", name="Full screen").click()
    await page.wait_for_function("() => document.fullscreenElement === document.documentElement")
    await page.get_by_role("button", name="Exit full screen").click()
    await page.wait_for_function("() => document.fullscreenElement === null")


async def test_the_sound_is_unmuted_with_one_click(page: Page, running_demo: demo.Demo) -> None:
    await started(page, running_demo)
    assert await page.evaluate("() => document.querySelector('video').muted")
    offer = page.locator("#unmute")
    await offer.wait_for()
    await offer.click()
    assert not await page.evaluate("() => document.querySelector('video').muted")
    await page.wait_for_function(HEARD)
    assert not await offer.is_visible()
    await page.keyboard.press("Alt+Shift+C")
    await page.get_by_role("button", name="Turn sound off").click()
    assert await page.evaluate("() => document.querySelector('video').muted")


async def test_a_gamepad_is_detected(page: Page, running_demo: demo.Demo) -> None:
    await page.add_init_script(
        """
        const pad = { id: 'Test pad', index: 0, connected: true, mapping: 'standard', timestamp: 0, axes: [0, 0, 0, 0],
          buttons: Array.from({ length: 17 }, () => ({ pressed: false, touched: false, value: 0 })) };
        navigator.getGamepads = () => (window.plugged ? [pad] : []);
        window.plug = () => {
          window.plugged = true;
          window.dispatchEvent(Object.assign(new Event('gamepadconnected'), { gamepad: pad }));
        };
        """
    )
    await started(page, running_demo)
    await page.evaluate("() => window.plug()")
    await page.get_by_text("Gamepad connected").wait_for()
    await eventually(
        lambda: any(entry.kind == "GamepadConnected" for entry in running_demo.streamers[0].inputs),
        "the streamer receives the gamepad",
    )


async def test_typing_on_a_touch_screen_reaches_the_streamer_as_keys(browser: Browser, running_demo: demo.Demo) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    try:
        page = await started(await context.new_page(), running_demo)
        streamer = running_demo.streamers[0]
        before = len(streamer.inputs)
        await page.keyboard.press("Alt+Shift+C")
        await page.get_by_role("button", name="On-screen keyboard").tap()
        assert await page.evaluate(FOCUSED) == "keyboard-input"
        await page.keyboard.insert_text("hi")
        await page.keyboard.press("Backspace")

        def pressed() -> list[str]:
            keys = [entry for entry in streamer.inputs[before:] if entry.kind.startswith("Key")]
            return [entry.kind for entry in keys if entry.values.get("key") not in SHORTCUT_KEYS]

        await eventually(
            lambda: pressed() == ["KeyPress", "KeyPress", "KeyDown", "KeyPress", "KeyUp"], "h, i and a backspace"
        )
    finally:
        await context.close()


async def test_a_touch_screen_gets_no_hint_of_the_keyboard(browser: Browser, running_demo: demo.Demo) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    try:
        page = await started(await context.new_page(), running_demo)
        assert await page.locator("#live").inner_text() == "The stream is playing. The controls are after it."
        assert await page.locator("#stage").get_attribute("aria-label") == "Live stream. The controls are after it."
        await page.keyboard.press("Alt+Shift+C")  # the controls may have closed in the meantime
        await page.locator("#panel-button").tap()
        await page.get_by_role("link", name="Licences").wait_for()
        assert not await page.locator("#panel-shortcut").is_visible()
    finally:
        await context.close()


async def test_the_panel_is_whole_in_each_window(page: Page, running_demo: demo.Demo) -> None:
    await started(page, running_demo)
    await page.keyboard.press("Alt+Shift+C")
    await page.locator("#panel-button").click()
    await page.locator("#setting-volume").wait_for()
    whole = """() => {
      const [panel, footer] = [document.querySelector('#panel'), document.querySelector('#panel footer')];
      const { top, bottom } = panel.getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight && footer.getBoundingClientRect().bottom < bottom;
    }"""
    scrolls = """() => [...document.querySelectorAll('#panel, #panel *')].some(
      (each) => each.scrollHeight > each.clientHeight + 1 && getComputedStyle(each).overflowY === 'auto')"""
    for width, height, low in (
        (1440, 900, False),
        (1280, 800, False),
        (1280, 720, True),
        (390, 844, False),
        (844, 390, True),
    ):
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate(whole), (width, height)
        assert await page.evaluate(scrolls) is low, (width, height)
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.get_by_text("Statistics", exact=True).click()
    await page.locator("#panel-latency").click()
    await page.get_by_text("ms encoding").wait_for()
    assert await page.evaluate(whole)


async def test_the_application_can_request_text_input(page: Page, running_demo: demo.Demo) -> None:
    await started(page, running_demo)
    await page.evaluate(
        """() => window.pixelfleet.stream.webRtcController.handleOnScreenKeyboardCommand(
          { command: 'onScreenKeyboard', showOnScreenKeyboard: true, contents: 'before' })"""
    )
    field = page.get_by_label("Text for the application")
    assert await field.input_value() == "before"
    await field.fill("after")
    await page.keyboard.press("Enter")
    await eventually(
        lambda: any(entry.kind == "TextboxEntry" for entry in running_demo.streamers[0].inputs),
        "the streamer receives the text",
    )
    assert await page.evaluate(FOCUSED) == "stage"


async def test_the_first_paint_does_not_wait_for_the_websocket(page: Page) -> None:
    async with scripted() as script:
        await page.route_web_socket(WEBSOCKET, lambda _: None)
        await page.add_init_script("window.WebSocket = class extends EventTarget { readyState = 0; close() {} };")
        await page.goto(script.url)
        # The websocket never opens, so a first paint at all is the expected result.
        await page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length === 1")
        assert script.players == 0
        await page.get_by_role("heading", name="Connecting").wait_for()


async def test_a_session_that_ends_at_once_shows_the_reason_and_a_button(page: Page) -> None:
    async with scripted() as script:
        script.closes = (4200, "")
        await page.goto(script.url)
        await page.wait_for_function("() => document.documentElement.dataset.branded === 'true'")
        assert await page.locator("#title").is_visible()
        assert await page.evaluate(FOCUSED) == "primary-action"


async def test_the_page_dials_once_before_the_library_is_loaded(page: Page) -> None:
    async with scripted() as script:
        release = asyncio.Event()

        async def hold(route: Route) -> None:
            await release.wait()
            await route.continue_()

        await page.route(re.compile(r"/assets/index-.*\.js$"), hold)
        await page.goto(script.url, wait_until="commit")
        await eventually(lambda: script.players == 1, "the page has dialled")
        assert await page.evaluate("() => window.pixelfleet === undefined")
        release.set()
        await eventually(lambda: {"type": "listStreamers"} in script.received, "the library sends its first message")
        assert script.players == 1


async def test_no_animation_with_reduced_motion(browser: Browser) -> None:
    async with scripted() as script, new_page(browser) as page:
        await page.emulate_media(reduced_motion="reduce")
        await page.goto(script.url)
        await page.wait_for_function("() => window.pixelfleet?.state.phase === 'connecting'")
        await page.locator("#title").wait_for()
        moving = "() => document.getAnimations().filter((a) => a.effect.getTiming().iterations === Infinity).length"
        assert await page.evaluate(moving) == 0
        await page.emulate_media(reduced_motion="no-preference")
        assert await page.evaluate(moving) == 9


async def test_the_queue_fits_a_phone_in_landscape(browser: Browser) -> None:
    queued = {"type": "matchmaker", "queued": True, "matched": False, "position": 12, "ahead": 11, "etaSeconds": 600}
    async with scripted() as script, new_page(browser) as page:
        script.messages = [queued]
        await page.set_viewport_size({"width": 667, "height": 320})
        await page.goto(script.url)
        await page.wait_for_function("() => window.pixelfleet?.state.phase === 'queued'")
        await page.screenshot(path=SCREENSHOTS / "queued-sideways.png")
        fits = "() => document.querySelector('#overlay').scrollHeight <= window.innerHeight"
        assert await page.evaluate(fits)


async def test_a_branding_file_replaces_name_colours_logo_and_texts(browser: Browser, branded: Script) -> None:
    async with new_page(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(branded.url)
        await page.get_by_role("heading", name="Verbinden").wait_for()
        assert await page.locator("#brand").inner_text() == "Acme Studio"
        assert await page.title() == "Verbinden · Acme Studio"
        assert await page.evaluate("() => document.documentElement.lang") == "de"
        assert await page.evaluate("() => document.querySelector('#logo').naturalWidth") > 0
        accent = "() => getComputedStyle(document.querySelector('.loader i')).backgroundColor"
        assert await page.evaluate(accent) == "rgb(170, 51, 0)"
        assert [url for url in asked if not url.startswith(branded.url)] == []


def test_the_scripts_are_within_their_size_limit() -> None:
    weights = {file.name: file.stat().st_size for file in (PAGE / "assets").glob("*.js.gz")}
    assert weights
    assert sum(weights.values()) <= SCRIPT_BYTES


async def test_files_are_compressed_and_have_a_strict_policy(page: Page) -> None:
    async with scripted() as script:
        answers: dict[str, dict[str, str]] = {}

        async def keep(response: Response) -> None:
            name = re.sub(r"-[\w-]{8}\.", ".", response.url.removeprefix(script.url))
            answers[name] = await response.all_headers()

        page.on("response", keep)
        await page.goto(script.url)
        await page.wait_for_function("() => document.documentElement.dataset.branded === 'true'")
        await eventually(lambda: {"", "assets/index.js"} <= answers.keys(), "all answers")
        for name in ("", "assets/index.js"):
            assert answers[name]["content-encoding"] in ("br", "gzip")
        policy = answers[""]["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
