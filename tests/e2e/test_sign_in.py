"""Signing in with a real browser at a real issuer, at the page and at the dashboard, with screenshots and axe."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

import matchmaker.app
import matchmaker.settings
import router.app
import router.settings
import signalserver.app
import signalserver.settings
import teststreamer.app
import teststreamer.settings
from pixelfleet.auth import links, sign_in
from pixelfleet.auth.links import SignedLink
from pixelfleet.auth.sign_in import SignIn
from pixelfleet.fleet.memory import MemoryFleetStore
from tests.e2e.conftest import new_page, playing
from tests.e2e.portraits import AXE, SCHEMES, SCREENSHOTS, SIZES, WATCH_POLICY, complaints, sitter
from tests.e2e.script import serving
from tests.issuer import Issuer, running_issuer
from tests.parts import SIGNALSERVER_ON_FREE_PORTS

pytestmark = pytest.mark.e2e

KEY = "k" * 32
REST_TOKEN = "t" * 32


@asynccontextmanager
async def fleet(**page: Any) -> AsyncIterator[Issuer]:
    """Run a fleet with one streamer whose router is the client of an issuer; yield the issuer.

    `page` are further settings of the router.
    """
    store = MemoryFleetStore()
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(running_issuer())
        signals = await stack.enter_async_context(
            signalserver.app.running(
                signalserver.settings.Settings(**SIGNALSERVER_ON_FREE_PORTS, session_key=KEY, require_session=True),
                store,
            )
        )
        common: dict[str, Any] = {"host": "127.0.0.1", "metrics_port": 0, "rest_token": REST_TOKEN}
        matches = await stack.enter_async_context(
            matchmaker.app.running(
                matchmaker.settings.Settings(
                    **common, port=0, legacy_link=False, trusted_proxies=1, auth="oidc", session_key=KEY
                ),
                store,
            )
        )
        settings = router.settings.Settings(
            **common,
            **issuer.settings(),
            port=issuer.router_port,
            matchmaker=[f"ws://127.0.0.1:{matches.port}"],
            **page,
        )
        await stack.enter_async_context(router.app.running(settings, store))
        streamer = await stack.enter_async_context(
            teststreamer.app.running(
                teststreamer.settings.Settings(
                    url=f"ws://127.0.0.1:{signals.streamer_port}", id="cam", width=640, height=360, fps=15, sound=False
                )
            )
        )
        await streamer.connected.wait()
        yield issuer


async def at_the_issuer(page: Page, name: str) -> None:
    """Fill in the issuer's form."""
    await page.locator("input[name=login]").fill(name)
    await page.locator("input[name=password]").fill("any")
    await page.locator("button[type=submit]").click()


async def signed_out_at_the_issuer(page: Page, issuer: Issuer) -> None:
    await page.wait_for_url(f"{issuer.url}/session/end**")
    await page.get_by_role("button", name="Yes, sign me out").click()


async def refused(page: Page) -> None:
    await page.wait_for_function("() => window.pixelfleet?.state.cause === 'not-allowed'")


async def test_a_refused_page_signs_in_plays_and_signs_out(browser: Browser) -> None:
    async with fleet() as issuer, new_page(browser) as page:
        await page.goto(f"{issuer.router}/?greeting=1")
        await refused(page)
        await page.get_by_role("button", name="Sign in").click()
        await at_the_issuer(page, "ada")
        await page.wait_for_url(f"{issuer.router}/?greeting=1")
        await playing(page)
        await page.locator("#panel-button").click()
        await page.get_by_text("Signed in as Person ada").wait_for()
        await page.get_by_role("button", name="Sign out").click()
        await signed_out_at_the_issuer(page, issuer)
        await page.wait_for_url(f"{issuer.router}/")
        await refused(page)
        await page.get_by_role("button", name="Sign in").wait_for()


async def test_an_operator_signs_in_at_the_dashboard_and_others_are_refused(browser: Browser) -> None:
    async with fleet() as issuer, new_page(browser) as page:
        await page.goto(f"{issuer.router}/dashboard/")
        await at_the_issuer(page, "ada")
        await page.get_by_text("Your account may not open the dashboard").wait_for()
        await page.get_by_role("link", name="Sign in with another account").click()
        await at_the_issuer(page, "root")
        await page.get_by_role("status").get_by_text("Live").wait_for()
        await page.get_by_role("button", name="Sign out").click()
        await signed_out_at_the_issuer(page, issuer)
        await page.wait_for_url(f"{issuer.router}/")
        await page.goto(f"{issuer.router}/dashboard/")
        await page.locator("input[name=login]").wait_for()


async def test_a_used_link_leaves_the_address_and_a_reload_still_has_it(browser: Browser) -> None:
    async with fleet() as issuer, new_page(browser) as page:
        link = links.sign(SignedLink(), KEY, 600)
        await page.goto(f"{issuer.router}/?app=default&link={link}")
        await playing(page)
        assert page.url == f"{issuer.router}/?app=default"
        await page.evaluate(
            "() => Object.keys(sessionStorage).filter((k) => k !== 'pixelfleet.link')"
            ".forEach((k) => sessionStorage.removeItem(k))"
        )
        await page.reload()
        await playing(page)
        assert page.url == f"{issuer.router}/?app=default"


async def test_an_embedding_page_hands_over_a_token_and_the_refused_player_plays(browser: Browser) -> None:
    token = sign_in.sign(SignIn(subject="ada"), sign_in.sign_in_key(KEY), 600)
    player = ""

    async def shop(_: web.Request) -> web.Response:
        frame = f'<!doctype html><iframe src="{player}/" allow="autoplay" width="800" height="600"></iframe>'
        return web.Response(text=frame, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", shop)
    async with serving(app) as port, fleet(parents=[f"http://127.0.0.1:{port}"]) as issuer, new_page(browser) as page:
        player = issuer.router
        await page.goto(f"http://127.0.0.1:{port}/")
        frame = page.frame_locator("iframe")
        await frame.get_by_role("button", name="Try again").wait_for()  # a frame cannot sign in
        await page.evaluate(
            """([token, origin]) => document.querySelector('iframe').contentWindow.postMessage(
              { pixelfleet: 1, id: 1, method: 'token', token }, origin)""",
            [token, player],
        )
        await frame.locator("html[data-phase=playing]").wait_for(state="attached")


async def test_the_states_of_a_sign_in_look_right(browser: Browser) -> None:
    async with fleet() as issuer:
        async with sitter(browser, issuer.router, path="/") as page:
            await page.in_state("ended", cause="not-allowed")
            await page.page.get_by_role("button", name="Sign in").wait_for()
            await page.portray("sign-in")
            assert page.complaints == []
        async with new_page(browser) as plain:
            await plain.add_init_script(path=AXE)
            await plain.add_init_script(WATCH_POLICY)
            await plain.goto(f"{issuer.router}/sign-in/callback?state=x&code=y")
            await plain.get_by_role("link", name="Sign in again").wait_for()
            assert await portrayed(plain, "sign-in-problem") == []
        async with new_page(browser) as plain:
            await plain.add_init_script(path=AXE)
            await plain.add_init_script(WATCH_POLICY)
            await plain.goto(f"{issuer.router}/dashboard/")
            await at_the_issuer(plain, "root")
            await plain.get_by_role("button", name="Sign out").wait_for()
            assert await portrayed(plain, "sign-in-dashboard") == []


async def portrayed(page: Page, name: str) -> list[str]:
    """Take four screenshots; return what axe and the content security policy find."""
    found: list[str] = []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{size}-{scheme}.png")
            found += [f"{name}-{size}-{scheme}: {each}" for each in await complaints(page)]
    return found
