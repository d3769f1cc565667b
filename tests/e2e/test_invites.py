"""Several people in one session in a real browser, through a router and a matchmaker."""

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.conftest import new_page, playing, plays_on
from tests.e2e.portraits import sitter
from tests.e2e.resuming_fleet import Fleet, fleet
from tests.parts import eventually

pytestmark = pytest.mark.e2e

OFFER = """() => {
  const { peerConnection } = window.pixelfleet.stream.webRtcController.peerConnectionController;
  return peerConnection.remoteDescription?.sdp ?? '';
}"""
PLAYING = "() => window.pixelfleet.state.phase === 'playing'"


async def opened(page: Page, url: str) -> Page:
    """Open the page, and wait until it plays and its texts are there."""
    await page.goto(url)
    await playing(page)
    await page.wait_for_function(PLAYING)
    await page.wait_for_function("() => document.documentElement.dataset.branded === 'true'")
    return page


async def has_data_channel(page: Page) -> bool:
    """Return whether the offer of the streamer has a data channel."""
    return "m=application" in await page.evaluate(OFFER)


async def open_people(page: Page) -> None:
    """Open the panel with the people, by keyboard."""
    if not await page.locator("#people").is_visible():
        await page.keyboard.press("Alt+Shift+C")
        await page.locator("#people-button").wait_for()  # the controls were collapsed
        await page.locator("#people-button").focus()
        await page.keyboard.press("Enter")


async def invite_link(host: Page, role: str, name: str) -> str:
    """Make an invite on the page of a host, and return the link."""
    await open_people(host)
    await host.locator("#invite-role").select_option(role)
    await host.locator("#invite-name").fill(name)
    await host.get_by_role("button", name="Create link").click()
    await host.locator("#invite-result").wait_for()
    link = await host.locator("#invite-link").input_value()
    assert "?invite=" in link
    return link


async def person(host: Page, name: str, text: str) -> None:
    """Wait until a person is shown with a text."""
    await host.locator("#people-list li", has_text=name).filter(has_text=text).wait_for()


async def has_players(running: Fleet, *numbers: int) -> None:
    """Wait until the streamers have these numbers of players."""
    await eventually(
        lambda: sorted(map(len, running.players)) == sorted(numbers), f"the streamers have {numbers} players"
    )


async def test_a_spectator_has_no_data_channel_and_a_removed_one_stays_out(browser: Browser) -> None:
    async with (
        fleet() as running,
        sitter(browser, running.url) as host,
        new_page(browser) as spectator,
        new_page(browser) as other,
    ):
        await opened(host.page, running.url)
        assert await has_data_channel(host.page)
        link = await invite_link(host.page, "spectator", "Ada")
        await host.portray("invite")
        await opened(spectator, link)
        await has_players(running, 0, 2)  # on the same streamer
        assert not await has_data_channel(spectator)
        await spectator.locator("#toast", has_text="You are watching").wait_for()
        await person(host.page, "Ada", "Spectator")
        await other.goto(link)  # it was for one person
        await other.wait_for_function("() => window.pixelfleet.state.cause === 'not-allowed'")
        await opened(other, await invite_link(host.page, "guest", "Grace"))
        await person(host.page, "Grace", "Guest")
        await host.portray("people")
        ada = host.page.locator("#people-list li", has_text="Ada")
        await ada.get_by_role("button", name="Remove").click()
        await ada.get_by_role("button", name="Really remove?").click()
        await spectator.wait_for_function("() => window.pixelfleet.state.cause === 'kicked'")
        await ada.wait_for(state="detached")
        await spectator.goto(link)
        await spectator.wait_for_function("() => window.pixelfleet.state.phase === 'ended'")
        await plays_on(host.page)
        await has_players(running, 0, 2)


async def test_a_host_turns_input_off_and_hands_the_session_over(browser: Browser) -> None:
    async with fleet() as running, new_page(browser) as host, new_page(browser) as guest:
        await opened(host, running.url)
        await opened(guest, await invite_link(host, "guest", "Grace"))
        assert await has_data_channel(guest)
        grace = host.locator("#people-list li", has_text="Grace")
        await grace.get_by_role("button", name="Turn input off").click()
        await person(host, "Grace", "input off")
        await guest.wait_for_function(f"() => !({OFFER})().includes('m=application') && ({PLAYING})()")
        await plays_on(guest)
        await has_players(running, 0, 2)
        await grace.get_by_role("button", name="Make host").click()
        await grace.get_by_role("button", name="You become a guest?").click()
        await person(host, "Grace", "Host")
        await guest.wait_for_function(f"() => ({OFFER})().includes('m=application') && ({PLAYING})()")
        await host.close()
        await has_players(running, 0, 1)
        await plays_on(guest)
        await open_people(guest)
        await guest.locator("#invite").wait_for()
