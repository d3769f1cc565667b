"""Invited people reach the streamer of their session, through router, matchmaker and signalserver, on a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from pixelfleet.fleet.open import open_store
from pixelfleet_cli import link
from tests.integration.conftest import Chain, running_chain
from tests.integration.operators import BEARER, TOKEN
from tests.integration.peers import Peer, negotiate, player, streamer
from tests.parts import eventually
from tests.unit.pixelfleet.fleet.redis_servers import redis_server

pytestmark = pytest.mark.integration

KEY = "k" * 40


@dataclass
class Services:
    """Running services with two streamers."""

    chain: Chain
    http: aiohttp.ClientSession
    sources: list[Peer]

    async def api(self, method: str, path: str, **query: str) -> tuple[int, Any]:
        """Call the matchmaker's REST API."""
        url = f"http://127.0.0.1:{self.chain.matches.port}/api/v1{path}"
        async with self.http.request(method, url, params=query, headers=BEARER) as answer:
            return answer.status, await answer.json()

    async def sessions(self) -> dict[str, tuple[str, str]]:
        """Return streamer and role of each session."""
        _, page = await self.api("GET", "/sessions")
        return {each["id"]: (each["streamer"], each["role"]) for each in page["items"]}

    async def session(self) -> str:
        """Return the id of the only session."""

        async def held() -> str:
            found = await self.sessions()
            return next(iter(found)) if len(found) == 1 else ""

        return await eventually(held, "the session is held")

    async def invite(self, session: str, **query: str) -> str:
        """Return the query of an invite that the REST API made."""
        status, invite = await self.api("POST", f"/sessions/{session}/invites", **query)
        assert status == 201, invite
        return str(invite["query"])

    def url(self, query: str = "") -> str:
        return f"{self.chain.player_url}?{query}"

    async def host(self, stack: AsyncExitStack) -> tuple[Peer, Peer, str]:
        """Play as a host; return the player, its streamer and its session."""
        viewer = await stack.enter_async_context(player(self.url()))
        matched = [message async for message in _until_matched(viewer)][-1]
        source = self.sources[0 if matched["detail"]["id"].endswith("/cam-0") else 1]
        await negotiate(viewer, source, "default")
        return viewer, source, await self.session()


async def _until_matched(viewer: Peer) -> AsyncIterator[dict[str, Any]]:
    while True:
        message = await viewer.receive("matchmaker")
        yield message
        if message["matched"]:
            return


@asynccontextmanager
async def services(
    page: Path, folder: Path, signals: Mapping[str, Any] = {}, matches: Mapping[str, Any] = {}
) -> AsyncIterator[Services]:
    """Run services with two streamers and a Redis."""
    keys = {"session_key": KEY}
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(redis_server(folder))
        store = await stack.enter_async_context(open_store(redis.url))
        matches = {**keys, "rest_token": TOKEN, "trusted_proxies": 1, **matches}
        chain = await stack.enter_async_context(
            running_chain(page, store, signals={**keys, **signals}, matches=matches, entry=keys)
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        sources = [await stack.enter_async_context(streamer(chain.streamer_url, f"cam-{n}")) for n in range(2)]
        yield Services(chain, http, sources)


async def closed(viewer: Peer) -> tuple[int, list[str]]:
    """Wait for the close of a player; return the code and the types of the messages before it."""
    kinds = []
    with suppress(ConnectionClosed):
        while True:
            kinds.append((await viewer.receive_any())["type"])
    return viewer.socket.close_code or 0, kinds


async def test_a_spectator_reaches_the_streamer_of_its_session_once_and_gets_no_data_channel(
    page_folder: Path, tmp_path: Path
) -> None:
    async with services(page_folder, tmp_path) as running, AsyncExitStack() as stack:
        _, source, session = await running.host(stack)
        query = await running.invite(session, role="spectator", once="1", name="Ada")
        viewer = await stack.enter_async_context(player(running.url(query)))
        await viewer.receive("config")
        await viewer.send("subscribe", streamerId="default")
        assert (await source.receive("playerConnected"))["dataChannel"] is False

        async def roles() -> bool:
            return sorted(role for _, role in (await running.sessions()).values()) == ["player", "spectator"]

        await eventually(roles, "both sessions are shown")
        async with player(running.url(query)) as again:
            assert (await closed(again))[0] == 4200
        _, audit = await running.api("GET", "/audit")
        assert [(each["action"], each["target"]) for each in audit["items"]] == [("invite spectator", session)]


@pytest.mark.parametrize(
    ("session", "query", "status"),
    [("x" * 32, {}, 404), ("", {"role": "host"}, 400), ("", {"seconds": "0"}, 400), ("", {"name": "n" * 41}, 400)],
)
async def test_an_invite_that_cannot_be_made_is_refused(
    page_folder: Path, tmp_path: Path, session: str, query: dict[str, str], status: int
) -> None:
    async with services(page_folder, tmp_path) as running, AsyncExitStack() as stack:
        own = (await running.host(stack))[2]
        assert (await running.api("POST", f"/sessions/{session or own}/invites", **query))[0] == status


async def test_an_invite_of_the_host_and_one_of_the_command_line_admit_guests(
    page_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with services(page_folder, tmp_path) as running, AsyncExitStack() as stack:
        host, source, session = await running.host(stack)
        await host.send("invite", role="guest", seconds=60)
        key_file = tmp_path / "key"
        key_file.write_text(KEY)
        capsys.readouterr()
        own = (await host.receive("invited"))["token"]
        options = ["--session", session, "--app", "default", "--role", "guest", "--key-file", str(key_file)]
        assert await asyncio.to_thread(link.main, options) == 0
        for token in (own, capsys.readouterr().out.split()[-1]):
            viewer = await stack.enter_async_context(player(running.url(f"invite={token}")))
            await viewer.receive("config")
            await viewer.send("subscribe", streamerId="default")
            assert (await source.receive("playerConnected"))["dataChannel"] is True
        _, page = await running.api("GET", "/streamers")
        assert sorted(each["taken"] for each in page["items"]) == [0, 1]


async def test_a_guest_waits_for_a_slot_if_guests_take_slots(page_folder: Path, tmp_path: Path) -> None:
    signals, matches = {"capacity": 2}, {"guests_take_slots": True}
    async with services(page_folder, tmp_path, signals, matches) as running, AsyncExitStack() as stack:
        session = (await running.host(stack))[2]
        query = await running.invite(session, role="guest")
        first = await stack.enter_async_context(player(running.url(query)))
        await first.receive("config")
        async with player(running.url(query)) as second:
            waiting = await second.receive("matchmaker")
            while "position" not in waiting:
                waiting = await second.receive("matchmaker")
            await first.socket.close()
            await second.receive("config")


async def test_a_removed_guest_stays_out_and_the_streamer_is_not_blamed(page_folder: Path, tmp_path: Path) -> None:
    async with services(page_folder, tmp_path) as running, AsyncExitStack() as stack:
        host, _, session = await running.host(stack)
        query = await running.invite(session, role="guest")
        guest = await stack.enter_async_context(player(running.url(query)))
        await guest.receive("config")
        await host.send("people")
        shown = await host.receive("people")
        await host.send("kick", person=shown["people"][1]["id"])
        assert await closed(guest) == (4201, ["subscribeFailed"])
        for _ in range(3):
            async with player(running.url(query)) as again:
                code, kinds = await closed(again)
                assert (code, kinds[-1]) == (4201, "subscribeFailed")

        async def only_the_host() -> bool:
            return list(await running.sessions()) == [session]

        await eventually(only_the_host, "no other session is left")
        _, page = await running.api("GET", "/streamers")
        assert [each["failedDials"] for each in page["items"]] == [0, 0]


async def test_a_handover_exchanges_the_slots_in_the_store(page_folder: Path, tmp_path: Path) -> None:
    async with services(page_folder, tmp_path) as running, AsyncExitStack() as stack:
        host, _, session = await running.host(stack)
        query = await running.invite(session, role="guest")
        guest = await stack.enter_async_context(player(running.url(query)))
        await guest.receive("config")
        await guest.send("people")
        await guest.receive("people")
        await host.send("handOver", person=2)

        async def exchanged() -> bool:
            roles = {each: role for each, (_, role) in (await running.sessions()).items()}
            return len(roles) == 2 and roles.pop(session) == "guest" and list(roles.values()) == ["player"]

        await eventually(exchanged, "the former host has no slot")
        await host.socket.close()

        async def taken() -> bool:
            _, page = await running.api("GET", "/streamers")
            return sorted(each["taken"] for each in page["items"]) == [0, 1] and session not in await running.sessions()

        await eventually(taken, "the session of the new host goes on")
        await guest.send("ping", time=1)
        await guest.receive("pong")
        async with player(running.url(query)) as late:
            assert (await closed(late))[0] == 4206
