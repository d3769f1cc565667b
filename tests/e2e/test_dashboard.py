"""The dashboard in a real browser with 1,000 streamers; screenshots of each state, each checked with axe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page

import router.app
import router.settings
from pixelfleet.net.ports import plain_port
from router.history import AppNumbers, Totals
from tests.e2e.fleet_api import TOKEN, FleetApi
from tests.e2e.portraits import AXE, SCHEMES, SCREENSHOTS, SIZES, WATCH_POLICY, complaints
from tests.parts import eventually

pytestmark = pytest.mark.e2e

Dashboard = tuple[Page, FleetApi]


@asynccontextmanager
async def served(tmp_path: Path, api: FleetApi) -> AsyncIterator[str]:
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    async with plain_port(api.app(), host="127.0.0.1", port=0, option="--port") as api.port:
        settings = router.settings.Settings(
            host="127.0.0.1",
            port=0,
            metrics_port=0,
            page=tmp_path,
            matchmaker=[f"http://127.0.0.1:{api.port}"],
            dashboard_auth="open",
            rest_token=TOKEN,
        )
        async with router.app.running(settings) as running:
            for at, (players, free, waiting, wait) in api.hour():
                numbers = AppNumbers(
                    app="city", available=free, used=players, waiting=waiting, oldest_wait_seconds=wait
                )
                running.dashboard.history.add(Totals(now=at, apps=(numbers,)))
            yield f"http://127.0.0.1:{running.port}/dashboard/"


def is_complaint(message: ConsoleMessage) -> bool:
    """Return whether the browser reported an error; refused requests are excluded, because some tests cause them."""
    return message.type == "error" and "the server responded with a status of" not in message.text


@asynccontextmanager
async def opened(
    browser: Browser, url: str, text: str = "Live", refused: int = 0, status: str = "live"
) -> AsyncIterator[Page]:
    """Open a page of the dashboard and wait for the text of its element `status`.

    An error in the browser's console fails the test.
    `refused` is a status with which the router answers instead of the fleet.
    """
    wrong: list[str] = []
    width, height = SIZES["desktop"]
    context = await browser.new_context(viewport={"width": width, "height": height})
    try:
        await context.add_init_script(path=AXE)
        await context.add_init_script(WATCH_POLICY)
        page = await context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if is_complaint(message) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        for path in ("history", "api/**") if refused else ():
            await page.route(url + path, lambda route: route.fulfill(status=refused, json={}))
        await page.goto(url)
        await page.locator(f"#{status}").get_by_text(text, exact=True).wait_for()
        yield page
        assert not wrong
    finally:
        await context.close()


@pytest.fixture
async def dashboard(browser: Browser, tmp_path: Path) -> AsyncIterator[Dashboard]:
    api = FleetApi()
    async with served(tmp_path, api) as url, opened(browser, url) as page:
        await page.locator(".row").first.wait_for()
        yield page, api


async def portray(page: Page, name: str) -> None:
    """Take a screenshot in each size and colour scheme; none may have serious violations or content that is cut off."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            # Rows are drawn in the next frame.
            await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            await page.screenshot(path=SCREENSHOTS / f"dashboard-{name}-{size}-{scheme}.png")
            assert await complaints(page) == [], f"{name}-{size}-{scheme}"
        assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


async def test_the_tables_of_a_busy_fleet(dashboard: Dashboard) -> None:
    page, _ = dashboard
    for kind in ("streamers", "sessions", "queue"):
        await page.locator(f"#tab-{kind}").click()
        await page.locator(".row").first.wait_for()
        await portray(page, kind)


async def test_an_empty_fleet(browser: Browser, tmp_path: Path) -> None:
    async with served(tmp_path, FleetApi(count=0)) as url, opened(browser, url) as page:
        for kind, text in (
            ("streamers", "No streamers"),
            ("sessions", "No active sessions"),
            ("queue", "No players are waiting"),
        ):
            await page.locator(f"#tab-{kind}").click()
            await page.get_by_text(text).wait_for()
            await portray(page, f"empty-{kind}")


async def test_an_unavailable_fleet_store(dashboard: Dashboard) -> None:
    page, api = dashboard
    api.send_event("unavailable", {"error": "the fleet store is unavailable"})
    await page.get_by_text("Fleet store unavailable. Data may be outdated").wait_for()
    await portray(page, "unavailable")
    api.send_event("totals", api.totals())
    await page.get_by_text("Live", exact=True).wait_for()


async def test_a_lost_connection_reconnects(browser: Browser, tmp_path: Path) -> None:
    api = FleetApi(refuse=503)
    async with served(tmp_path, api) as url, opened(browser, url, "Connection lost. Reconnecting") as page:
        await page.get_by_text("No data yet").wait_for()
        await portray(page, "lost")
        api.refuse = 0
        await page.get_by_text("Live", exact=True).wait_for()
        await page.locator(".row").first.wait_for()


async def test_an_operator_whose_access_is_denied(browser: Browser, tmp_path: Path) -> None:
    text = "Access denied. Reload the page to sign in"
    async with served(tmp_path, FleetApi()) as url, opened(browser, url, text, refused=401) as page:
        await portray(page, "refused")


async def test_a_thousand_streamers_need_only_a_few_row_elements(dashboard: Dashboard) -> None:
    page, _ = dashboard
    assert await page.locator("#tab-streamers i").text_content() == "1,000"
    assert await page.locator(".row").count() < 60
    seen = await page.evaluate(
        """async () => {
          const rows = document.getElementById('rows');
          const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          const names = new Set();
          let most = 0;
          for (let top = 0; top < rows.scrollHeight; top += rows.clientHeight / 2) {
            rows.scrollTop = top;
            await frame();
            most = Math.max(most, rows.querySelectorAll('.row').length);
            rows.querySelectorAll('.name').forEach((name) => names.add(name.title));
          }
          return { names: names.size, most };
        }"""
    )
    assert seen["names"] == 1000
    assert seen["most"] < 60


async def test_a_phone_shows_the_notes_of_the_figures_whole(dashboard: Dashboard) -> None:
    page, _ = dashboard
    await page.set_viewport_size({"width": 390, "height": 844})
    for note in ("of 1,000 slots", "of 900, 50 quarantined", "players"):
        await page.locator(".figure").get_by_text(note, exact=True).wait_for()
    whole = "() => [...document.querySelectorAll('.figure span')].every((each) => each.scrollWidth <= each.clientWidth)"
    assert await page.evaluate(whole)


async def test_rows_do_not_overlap_after_the_window_becomes_narrow(dashboard: Dashboard) -> None:
    page, _ = dashboard
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 844})
        await page.wait_for_function(
            """() => {
              const boxes = [...document.querySelectorAll('.row')].map((row) => row.getBoundingClientRect());
              boxes.sort((one, other) => one.top - other.top);
              return boxes.length > 1 && boxes.every((box, at) => at === 0 || boxes[at - 1].bottom <= box.top + 1);
            }"""
        )


async def test_a_change_of_the_fleet_appears_without_reloading(dashboard: Dashboard) -> None:
    page, api = dashboard
    await page.locator("#search").fill("city-0000")
    row = page.locator(".row", has_text="city-0000").first
    await row.wait_for()
    assert "Free" in (await row.text_content() or "") or "Busy" in (await row.text_content() or "")
    name = next(each for each in api.streamers if each.endswith("city-0000"))
    api.streamers[name] |= {"state": "aside", "failedDials": 3}
    api.change(api.streamers[name])
    await page.locator(".row", has_text="Quarantined").wait_for()
    assert "3 failed connections" in (await page.locator(".row").first.text_content() or "")


async def test_streamers_are_filtered_by_app_state_and_name(dashboard: Dashboard) -> None:
    page, api = dashboard
    await page.locator("#app").select_option("harbour")
    await page.locator("#state").select_option("aside")
    wanted = sum(each["app"] == "harbour" and each["state"] == "aside" for each in api.streamers.values())
    await page.get_by_text(f"Showing {wanted} of 1,000").wait_for()
    await page.locator("#search").fill("nothing like this")
    await page.get_by_text("No matches").wait_for()


async def test_a_streamer_is_drained_and_undrained(dashboard: Dashboard) -> None:
    page, api = dashboard
    await page.locator("#search").fill("city-0003")
    name = next(each for each in api.streamers if each.endswith("city-0003"))
    await page.get_by_role("button", name=f"Drain {name}", exact=True).click()
    await page.get_by_role("button", name=f"Undrain {name}", exact=True).click()
    await page.get_by_role("button", name=f"Drain {name}", exact=True).wait_for()
    assert api.actions == [("drain", name), ("undrain", name)]


async def test_a_player_is_kicked_after_confirmation(dashboard: Dashboard) -> None:
    page, api = dashboard
    await page.locator("#tab-sessions").click()
    button = page.get_by_role("button", name="Kick").first
    await button.click()
    assert api.actions == []
    await page.get_by_text("Confirm").click()
    await eventually(lambda: len(api.actions) == 1, "it is kicked")
    assert api.actions[0][0] == "kick"


async def test_a_failed_action_is_reported(dashboard: Dashboard) -> None:
    page, api = dashboard
    await page.locator("#search").fill("city-0003")
    name = next(each for each in api.streamers if each.endswith("city-0003"))
    button = page.get_by_role("button", name=f"Drain {name}", exact=True)
    await button.wait_for()
    del api.streamers[name]
    await button.click()
    await page.get_by_text("Drain failed: no such streamer").wait_for()
    await portray(page, "failed")


async def test_everything_is_accessible_by_keyboard(dashboard: Dashboard) -> None:
    page, _ = dashboard
    await page.locator("#tab-streamers").focus()
    await page.keyboard.press("ArrowRight")
    assert await page.evaluate("() => document.activeElement.id") == "tab-sessions"
    await page.keyboard.press("ArrowLeft")
    reached = []
    for _ in range(5):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("() => document.activeElement.id || document.activeElement.className"))
    assert reached == ["app", "state", "search", "rows", "row-action"]
