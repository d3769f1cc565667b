"""The usage page of the dashboard in a real browser; screenshots of each state, each checked with axe."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.fleet_api import FleetApi
from tests.e2e.test_dashboard import opened, portray, served

pytestmark = pytest.mark.e2e


async def number(page: Page, name: str) -> int:
    return int((await page.locator(f"#{name}").text_content() or "").replace(",", ""))


async def test_the_usage_of_a_busy_fleet(browser: Browser, tmp_path: Path) -> None:
    api = FleetApi()
    async with (
        served(tmp_path, api) as url,
        opened(browser, f"{url}usage.html", f"{len(api.past):,} records", status="status") as page,
    ):
        await page.locator("#history tr").first.wait_for()
        total = await number(page, "sessions")
        assert 0 < total < len(api.past)
        assert await page.locator("#plot-sessions .day").count() == 30
        await portray(page, "usage")
        await page.locator("#numbers summary").click()
        await page.get_by_role("button", name="Show more").click()
        await page.locator("#history tr").nth(49).wait_for()
        await portray(page, "usage-tables")
        await page.locator("#app").select_option("harbour")
        await page.wait_for_function(
            "total => Number(document.getElementById('sessions').textContent) < total", arg=total
        )
        await page.locator("#days").select_option("7")
        await page.locator("#plot-sessions .day").nth(7).wait_for(state="detached")
        assert await page.locator("#plot-sessions .day").count() == 7
        for row in await page.locator("#history tr").all():
            assert "harbour" in (await row.text_content() or "")


@pytest.mark.parametrize(
    ("recording", "text"),
    [(True, "No sessions ended in this period."), (False, "Sessions are not recorded.")],
    ids=["empty", "off"],
)
async def test_a_fleet_without_past_sessions(browser: Browser, tmp_path: Path, *, recording: bool, text: str) -> None:
    api = FleetApi(count=0, recording=recording)
    async with (
        served(tmp_path, api) as url,
        opened(browser, f"{url}usage.html", "0 records", status="status") as page,
    ):
        await page.get_by_text(text).wait_for()
        await portray(page, f"usage-{'empty' if recording else 'off'}")


async def test_the_pages_of_the_dashboard_link_to_each_other(browser: Browser, tmp_path: Path) -> None:
    async with served(tmp_path, FleetApi()) as url, opened(browser, url) as page:
        await page.get_by_role("link", name="Usage").click()
        await page.locator("#plot-sessions .day").first.wait_for()
        await page.get_by_role("link", name="Fleet").click()
        await page.locator(".row").first.wait_for()
