"""The limits of a person, through a real matchmaker and a real signalling server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from msgspec import structs

import matchmaker.app
import matchmaker.settings
from pixelfleet.auth import sign_in
from pixelfleet.auth.sign_in import SignIn
from pixelfleet.fleet import tokens
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport, StreamerReport, Ticket
from pixelfleet.fleet.store import NoMinutesError, Placed
from pixelfleet.net.ports import plain_port
from pixelfleet.protocol import close_codes
from tests.integration.router_stack import Backend
from tests.parts import eventually

pytestmark = pytest.mark.integration

KEY = "k" * 32
ADA = SignIn(subject="ada")


def proof(who: SignIn) -> dict[str, str]:
    return {"Authorization": f"Bearer {sign_in.sign(who, sign_in.sign_in_key(KEY), 600)}"}


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[tuple[str, MemoryFleetStore]]:
    store = MemoryFleetStore()
    made = matchmaker.settings.Settings(
        host="127.0.0.1", port=0, metrics_port=0, legacy_link=False, auth="oidc", session_key=KEY, **settings
    )
    async with matchmaker.app.running(made, store) as running:
        yield f"http://127.0.0.1:{running.port}", store


async def closed_with(http: aiohttp.ClientSession, url: str, who: SignIn) -> int | None:
    """Connect a player, and return the code with which it is closed."""
    async with http.ws_connect(url, headers=proof(who)) as socket:
        async for _ in socket:
            pass
        return socket.close_code


async def test_a_further_session_of_a_person_is_closed_with_its_code() -> None:
    async with (
        running(subject_sessions=1) as (url, store),
        aiohttp.ClientSession() as http,
        http.ws_connect(url, headers=proof(ADA)) as first,
    ):
        assert (await first.receive_json())["queued"] is True

        async def waits() -> bool:
            return len((await store.snapshot()).queue) == 1

        await eventually(waits, "the first session waits")
        assert await closed_with(http, url, ADA) == close_codes.TOO_MANY_SESSIONS.code
        more = structs.replace(ADA, sessions=2)
        async with http.ws_connect(url, headers=proof(more)) as second:
            assert (await second.receive_json())["queued"] is True


async def test_the_signalling_server_learns_how_long_a_session_may_last() -> None:
    server = Backend()
    async with (
        running(subject_minutes=2) as (url, store),
        plain_port(server.app(), host="127.0.0.1", port=0, option="--port") as server.port,
        aiohttp.ClientSession() as http,
    ):
        report = StreamerReport(
            server_id="pod", endpoint_id="cam", app="default", url=f"ws://127.0.0.1:{server.port}", capacity=0
        )
        await store.report(ServerReport(server_id="pod", sequence=1, streamers=(report,)))
        async with http.ws_connect(url, headers=proof(ADA)):
            await eventually(lambda: server.targets, "the matchmaker dials")
        token = server.targets[0].partition("session=")[2].partition("&")[0]
        assert 110 < tokens.verify(token, KEY, "pod").seconds <= 120


async def test_a_person_without_minutes_is_closed_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(subject_minutes=1) as (url, store), aiohttp.ClientSession() as http:

        async def refuse(ticket: Ticket, *, returns: bool = False) -> Placed:
            assert ticket.use_limits[0].seconds == 60
            raise NoMinutesError(str(returns))

        monkeypatch.setattr(store, "join", refuse)
        assert await closed_with(http, url, ADA) == close_codes.NO_MINUTES.code
