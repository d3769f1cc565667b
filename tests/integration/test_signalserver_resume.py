"""Pages that return to their sessions, with real sockets."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from pixelfleet.fleet.tokens import SessionToken, sign
from tests.integration.peers import SDP, Message, Peer, negotiate, player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.parts import eventually
from tests.unit.signalserver.core.conversation import CANDIDATE

pytestmark = pytest.mark.integration

KEY = "k" * 32


@dataclass
class Page:
    """A page that has negotiated, and its streamer."""

    running: RunningSignalserver
    source: Peer
    viewer: Peer
    token: str
    player_id: str
    received: int = 3
    """Its counted messages: the configuration, the list of streamers and the offer."""

    def url(self, **query: object) -> str:
        given = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{self.running.player_url}/?resume={self.token}&{given}"

    async def candidate(self, name: str) -> None:
        """Let the streamer send a candidate to the page."""
        await self.source.send("iceCandidate", candidate={**CANDIDATE, "candidate": name}, playerId=self.player_id)


def ticket(session_id: str) -> str:
    return sign(SessionToken(session_id, "pod-1", "cam", "game"), KEY)


async def negotiated(running: RunningSignalserver, source: Peer, viewer: Peer) -> Page:
    token = (await viewer.receive("session"))["token"]
    player_id = await negotiate(viewer, source, "game")
    return Page(running, source, viewer, token, player_id)


@pytest.fixture
def chosen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of the server, which a test gives as a parameter."""
    return getattr(request, "param", {})


@pytest.fixture
async def page(chosen: dict[str, Any]) -> AsyncIterator[Page]:
    fixed = {"session_key": KEY, "require_session": True, "server_id": "pod-1", "rest_token": "t"}
    async with (
        running_signalserver(**{**fixed, **chosen}) as running,
        streamer(running.streamer_url, "cam") as source,
        player(f"{running.player_url}/?session={ticket('session-1')}&resume=1") as viewer,
    ):
        yield await negotiated(running, source, viewer)


def settings(**chosen: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("chosen", [chosen], indirect=True)


async def away(page: Page) -> None:
    async def is_away() -> bool:
        return await page.running.metric("pixelfleet_sessions_away") == 1

    await eventually(is_away, "the player is away")


async def expect_next(peer: Peer, kind: str) -> Message:
    message = await peer.receive_any()
    assert message["type"] == kind
    return message


async def test_a_page_whose_connection_was_cut_continues_where_it_was(page: Page) -> None:
    page.viewer.socket.transport.abort()
    await away(page)
    await page.candidate("missed")
    async with player(page.url(received=page.received)) as back:
        greeting = await expect_next(back, "session")
        assert (greeting["resumed"], greeting["received"]) == (True, 3)
        assert (await expect_next(back, "iceCandidate"))["candidate"]["candidate"] == "missed"
        await back.send("iceCandidate", candidate=CANDIDATE)
        assert (await expect_next(page.source, "iceCandidate"))["playerId"] == page.player_id
        await back.send("ping", time=7, received=page.received + 1)
        assert await expect_next(back, "pong") == {"type": "pong", "time": 7, "received": 4}
    assert await page.running.metric('pixelfleet_sessions_resumed_total{how="resume"}') == 1


async def test_a_newer_connection_takes_the_place_of_one_that_seems_open(page: Page) -> None:
    page.viewer.socket.transport.pause_reading()  # half-open: the page hears nothing more
    await page.candidate("sent into the void")
    async with player(page.url(received=page.received)) as back:
        await expect_next(back, "session")
        assert (await expect_next(back, "iceCandidate"))["candidate"]["candidate"] == "sent into the void"
        await page.viewer.send("iceCandidate", candidate=CANDIDATE)  # a backlog that arrives late
        page.viewer.socket.transport.resume_reading()
        assert await page.viewer.closed() == (4208, "the session goes on over another connection")
        await back.send("layerPreference", spatialLayer=0, temporalLayer=0)
        await expect_next(page.source, "layerPreference")
        assert await page.running.metric("signalserver_player_socket_connections") == 1


@settings(ping_interval=0.2, pong_timeout=0.2, resume_seconds=0.2)
async def test_a_page_that_answers_no_ping_is_away_and_its_session_expires(page: Page) -> None:
    page.viewer.socket.transport.pause_reading()
    assert (await expect_next(page.source, "playerDisconnected"))["playerId"] == page.player_id
    assert await page.running.metric('pixelfleet_sessions_expired_total{cause="timed_out"}') == 1
    async with player(page.url(received=page.received)) as back:
        assert await back.closed() == (4007, "the session cannot be resumed")
    async with player(f"{page.running.player_url}/?session={ticket('session-2')}") as viewer:
        await negotiate(viewer, page.source, "game")
    page.viewer.socket.transport.resume_reading()


async def test_a_page_that_was_loaded_again_gets_its_streamer_as_a_new_player(page: Page) -> None:
    await page.viewer.socket.close(1001)
    await away(page)
    async with player(page.url(fresh=1)) as back:
        await expect_next(page.source, "playerDisconnected")
        again = await negotiated(page.running, page.source, back)
        assert again.player_id != page.player_id
        await page.source.send("offer", sdp=SDP, playerId=again.player_id)
        await expect_next(back, "offer")
    assert await page.running.metric('pixelfleet_sessions_resumed_total{how="fresh"}') == 1


@settings(reload_seconds=0.2, resume_seconds=600)
async def test_the_session_of_a_closed_tab_is_kept_for_a_shorter_time(page: Page) -> None:
    await page.viewer.socket.close(1001)
    await expect_next(page.source, "playerDisconnected")
    assert await page.running.metric('pixelfleet_sessions_expired_total{cause="closed"}') == 1


async def test_a_page_that_says_goodbye_has_left(page: Page) -> None:
    await page.viewer.socket.close(1000)
    await expect_next(page.source, "playerDisconnected")
    async with player(page.url(fresh=1)) as back:
        assert (await back.closed())[0] == 4007


async def test_an_operator_ends_the_session_of_an_away_player(page: Page) -> None:
    page.viewer.socket.transport.abort()
    await away(page)
    operator = {"Authorization": "Bearer t"}
    status, shown = await page.running.ask("GET", f"/api/players/{page.player_id}", headers=operator)
    assert (status, shown["away"]) == (200, True)
    status, _ = await page.running.ask("DELETE", f"/api/players/{page.player_id}", headers=operator)
    assert status == 200
    await expect_next(page.source, "playerDisconnected")
    async with player(page.url(received=page.received)) as back:
        assert await back.closed() == (4201, "removed by the host")


async def test_a_page_that_cannot_return_leaves_with_its_connection() -> None:
    async with (
        running_signalserver() as running,
        streamer(running.streamer_url, "cam") as source,
        player(running.player_url) as viewer,
    ):
        await expect_next(viewer, "config")
        await viewer.send("subscribe", streamerId="cam")
        await expect_next(source, "playerConnected")
        viewer.socket.transport.abort()
        await expect_next(source, "playerDisconnected")


async def test_nothing_is_kept_when_that_is_turned_off() -> None:
    async with (
        running_signalserver(resume_seconds=0) as running,
        streamer(running.streamer_url, "cam") as source,
        player(f"{running.player_url}/?resume=1") as viewer,
    ):
        await expect_next(viewer, "config")
        await viewer.send("subscribe", streamerId="cam")
        await expect_next(source, "playerConnected")
        viewer.socket.transport.abort()
        await expect_next(source, "playerDisconnected")
