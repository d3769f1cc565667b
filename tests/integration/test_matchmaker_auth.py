"""The matchmaker authenticates players itself: with the router's credentials, and it redeems single-use links."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import bcrypt
import pytest
from yarl import URL

import matchmaker.app
import matchmaker.settings
from pixelfleet.auth.links import SignedLink, sign
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.tokens import verify
from tests.parts import eventually

pytestmark = pytest.mark.integration

KEY = "k" * 40
USERS = f"ada:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}"


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[tuple[str, MemoryFleetStore]]:
    store = MemoryFleetStore()
    made = matchmaker.settings.Settings(host="127.0.0.1", port=0, metrics_port=0, legacy_link=False, **settings)
    async with matchmaker.app.running(made, store) as running:
        yield f"http://127.0.0.1:{running.port}", store


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def refused(http: aiohttp.ClientSession, url: str, **options: Any) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await http.ws_connect(url, **options)
    return error.value.status


async def queue(store: MemoryFleetStore) -> Any:
    return (await store.snapshot()).queue


async def test_an_unauthenticated_player_is_refused_and_not_queued(http: aiohttp.ClientSession) -> None:
    async with running(auth="basic", users=USERS) as (url, store):
        assert await refused(http, url) == 401
        assert await refused(http, url, headers={"Authorization": aiohttp.encode_basic_auth("ada", "no")}) == 401
        assert await queue(store) == ()
        async with http.ws_connect(
            url, headers={"Authorization": aiohttp.encode_basic_auth("ada", "secret")}
        ) as socket:
            assert (await socket.receive_json())["queued"] is True
        async with http.get(f"{url}/readyz") as answer:
            assert answer.status in (200, 503)


async def test_a_link_determines_app_priority_and_streamer_and_other_apps_are_refused(
    http: aiohttp.ClientSession,
) -> None:
    async with running(auth="link", link_key=KEY) as (url, store):
        link = sign(SignedLink(app="game", priority=5), KEY, 60)
        async with http.ws_connect(f"{url}/?link={link}") as socket:
            await socket.receive()
            (waiting,) = await eventually(lambda: queue(store), "it waits")
            assert (waiting.ticket.app, waiting.ticket.priority) == ("game", 5)
        assert await refused(http, f"{url}/?link={link}&app=other") == 403
        chosen = sign(SignedLink(wants="pod-1/cam"), KEY, 60)
        async with http.ws_connect(f"{url}/?link={chosen}&id=another"):
            found = await eventually(
                lambda: _wanted(store, "pod-1/cam"), "the ticket wants the link's streamer, not the query's"
            )
            assert found.ticket.priority == 0


async def test_a_reservation_over_http_needs_the_credentials_of_a_player(http: aiohttp.ClientSession) -> None:
    async with running(auth="basic", users=USERS, redirect=True, session_key=KEY) as (url, store):
        report = StreamerReport(server_id="pod-1", endpoint_id="cam", app="default", url="ws://10.0.0.7:80")
        await store.report(ServerReport(server_id="pod-1", sequence=1, streamers=(report,)))
        wrong = {"Authorization": aiohttp.encode_basic_auth("ada", "no")}
        for path in ("/signallingserver", "/", "/custom_html/player.html"):
            for headers in ({}, wrong):
                async with http.get(url + path, headers=headers, allow_redirects=False) as answer:
                    assert answer.status == 401
                    assert "10.0.0.7" not in await answer.text()
        assert (await store.snapshot()).leases == ()
        right = {"Authorization": aiohttp.encode_basic_auth("ada", "secret")}
        async with http.get(f"{url}/signallingserver", headers=right) as answer:
            assert (await answer.json())["signallingServer"] == "10.0.0.7:80"


async def test_a_link_for_a_spectator_takes_no_slot(http: aiohttp.ClientSession) -> None:
    async with running(auth="link", link_key=KEY, session_key=KEY, offers_per_minute=0) as (url, store):
        report = StreamerReport(server_id="pod-1", endpoint_id="cam", app="default", url="ws://10.0.0.7:80")
        await store.report(ServerReport(server_id="pod-1", sequence=1, streamers=(report,)))
        link = sign(SignedLink(roles=("spectator",), wants="cam"), KEY, 60)
        async with http.get(f"{url}/signallingserver?link={link}") as answer:
            offered = URL((await answer.json())["url"])
        assert verify(offered.query["session"], KEY, "pod-1").role == "spectator"
        assert (await store.totals()).apps["default"].available == 1


async def _wanted(store: MemoryFleetStore, wants: str) -> Any:
    return next((each for each in await queue(store) if each.ticket.wants == wants), None)


async def test_a_single_use_link_admits_once(http: aiohttp.ClientSession) -> None:
    async with running(auth="link", link_key=KEY) as (url, _):
        link = sign(SignedLink(once=True), KEY, 60)
        async with http.ws_connect(f"{url}/?link={link}") as socket:
            await socket.receive()
        assert await refused(http, f"{url}/?link={link}") == 401


async def test_a_refused_holder_has_not_used_its_link(http: aiohttp.ClientSession) -> None:
    async with running(auth="link", link_key=KEY, max_queue=1, origins=["https://play.example"]) as (url, _):
        link = sign(SignedLink(once=True), KEY, 60)
        address = f"{url}/?link={link}"
        assert await refused(http, address, headers={"Origin": "https://evil.example"}) == 403
        assert await refused(http, f"{address}&app=a%20b") == 400
        async with http.ws_connect(f"{url}/?link={sign(SignedLink(), KEY, 60)}") as socket:
            await socket.receive()
            assert await refused(http, address) == 503
        await eventually(lambda: _taken(http, address), "the queue has room, and the link is not used")
        assert await refused(http, address) == 401


async def test_a_closing_matchmaker_uses_up_no_link(http: aiohttp.ClientSession) -> None:
    store = MemoryFleetStore()
    settings = matchmaker.settings.Settings(
        host="127.0.0.1", port=0, metrics_port=0, legacy_link=False, auth="link", link_key=KEY
    )
    link = sign(SignedLink(once=True), KEY, 60)
    async with matchmaker.app.running(settings, store) as first, matchmaker.app.running(settings, store) as second:
        first.players.closing = True
        assert await refused(http, f"http://127.0.0.1:{first.port}/?link={link}") == 503
        assert await _taken(http, f"http://127.0.0.1:{second.port}/?link={link}")


async def test_a_page_without_a_reservation_has_not_used_its_link(http: aiohttp.ClientSession) -> None:
    async with running(auth="link", link_key=KEY, session_key=KEY, offers_per_minute=0) as (url, store):
        path = f"{url}/signallingserver?link={sign(SignedLink(once=True), KEY, 60)}"
        async with http.get(path) as answer:
            assert (await answer.json())["signallingServer"] == ""
        report = StreamerReport(server_id="pod-1", endpoint_id="cam", app="default", url="ws://10.0.0.7:80", capacity=0)
        await store.report(ServerReport(server_id="pod-1", sequence=1, streamers=(report,)))
        async with http.get(path) as answer:
            assert (await answer.json())["signallingServer"] == "10.0.0.7:80"
        async with http.get(path) as answer:
            assert answer.status == 401
        assert len((await store.snapshot()).leases) == 1


async def _taken(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.ws_connect(url) as socket:
            await socket.receive()
            return True
    except aiohttp.WSServerHandshakeError:
        return False


async def test_the_pixelfleet_subprotocol_is_chosen_and_the_token_is_not(http: aiohttp.ClientSession) -> None:
    async with running(auth="link", link_key=KEY) as (url, _):
        link = sign(SignedLink(), KEY, 60)
        async with http.ws_connect(f"{url}/?link={link}", protocols=["bearer.x", "pixelfleet"]) as socket:
            assert socket.protocol == "pixelfleet"
