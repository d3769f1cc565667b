"""A router that is the client of an issuer, in front of a matchmaker that records its requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

import router.app
import router.settings
from pixelfleet.fleet.memory import MemoryFleetStore
from tests.integration.router_stack import Backend, backend
from tests.issuer import Issuer, authorize, running_issuer


@dataclass
class SignInStack:
    issuer: Issuer
    matchmaker: Backend

    @property
    def url(self) -> str:
        return self.issuer.router

    async def begin(self, browser: aiohttp.ClientSession, back: str = "/") -> str:
        """Begin to sign in; return the URL at the issuer."""
        async with browser.get(f"{self.url}/sign-in", params={"return": back}, allow_redirects=False) as answer:
            assert answer.status == 302
            return answer.headers["Location"]

    async def sign_in(self, browser: aiohttp.ClientSession, name: str, back: str = "/") -> aiohttp.ClientResponse:
        """Sign in; return the router's answer to the browser that returns."""
        target = await authorize(browser, await self.begin(browser, back), name)
        return await browser.get(target, allow_redirects=False)

    async def session(self, browser: aiohttp.ClientSession) -> dict[str, Any]:
        async with browser.get(f"{self.url}/sign-in/session") as answer:
            document: dict[str, Any] = await answer.json()
            return document


@asynccontextmanager
async def sign_in_stack(page: Path, **settings: Any) -> AsyncIterator[SignInStack]:
    async with running_issuer() as issuer, router_of(issuer, page, **settings) as matchmaker:
        yield SignInStack(issuer, matchmaker)


@asynccontextmanager
async def router_of(issuer: Issuer, page: Path, **settings: Any) -> AsyncIterator[Backend]:
    """Run a router on the port that the issuer knows; yield its matchmaker."""
    async with backend() as matchmaker:
        chosen = {**issuer.settings(), "matchmaker": [f"ws://127.0.0.1:{matchmaker.port}"], **settings}
        made = router.settings.Settings(host="127.0.0.1", port=issuer.router_port, metrics_port=0, page=page, **chosen)
        async with router.app.running(made, MemoryFleetStore()) as running:
            await running.matchmakers.found.wait()
            yield matchmaker


def browser() -> aiohttp.ClientSession:
    """Return a client with cookies, also those of addresses."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
