"""Admission of peers, and breaches of limits: only the offending peer is closed, with a code, and counted."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from pixelfleet.fleet.tokens import SessionToken, sign
from tests.integration.peers import SDP, Peer, negotiate, player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.parts import eventually

pytestmark = pytest.mark.integration

KEY = "k" * 32


def opened(url: str, **headers: str) -> AbstractAsyncContextManager[ClientConnection]:
    return connect(url, additional_headers=headers, compression=None, proxy=None)


async def refused(url: str, **headers: str) -> int:
    """Return the HTTP status with which an upgrade is refused."""
    with pytest.raises(InvalidStatus) as answer:
        async with opened(url, **headers):
            pass
    return answer.value.response.status_code


async def counted(running: RunningSignalserver, series: str) -> None:
    async def once() -> bool:
        return await running.metric(series) == 1

    await eventually(once, f"{series} is 1")


# -- players ----------------------------------------------------------------------------------------


async def test_only_pages_of_listed_origins_connect_and_clients_without_an_origin() -> None:
    async with running_signalserver(origins=["https://play.example"]) as running:
        async with opened(running.player_url, Origin="https://play.example"), opened(running.player_url):
            pass
        assert await refused(running.player_url, Origin="https://evil.example") == 403
        assert await running.metric('signalserver_upgrades_refused_total{reason="origin",role="player"}') == 1


async def test_a_player_above_the_limit_is_refused_until_another_leaves() -> None:
    async with running_signalserver(max_players=1) as running:
        async with player(running.player_url) as first:
            await first.receive("config")
            assert await refused(running.player_url) == 503
            await first.send("ping")
            await first.receive("pong")
        assert await running.metric('signalserver_upgrades_refused_total{reason="full",role="player"}') == 1
        await eventually(lambda: running.server.players == 0, "the first has left")
        async with player(running.player_url) as second:
            await second.receive("config")


async def test_a_player_above_the_limit_of_a_streamer_gets_subscribe_failed() -> None:
    async with (
        running_signalserver(max_players_per_streamer=1) as running,
        streamer(running.streamer_url, "cam"),
        player(running.player_url) as first,
        player(running.player_url) as second,
    ):
        await first.send("subscribe", streamerId="cam")
        await first.send("ping")
        await first.receive("pong")
        await second.send("subscribe", streamerId="cam")
        assert (await second.receive("subscribeFailed"))["message"] == "The streamer is full"


def ticket(server_id: str, *, key: str = KEY, role: Any = "player") -> str:
    return sign(SessionToken("session-1", server_id, "cam", "game", role), key)


@pytest.fixture
async def leased() -> AsyncIterator[RunningSignalserver]:
    async with running_signalserver(session_key=KEY, require_session=True, server_id="pod-1") as running:
        yield running


async def test_a_session_token_admits_to_its_streamer_only_under_the_apps_name(leased: RunningSignalserver) -> None:
    async with (
        streamer(leased.streamer_url, "cam") as source,
        streamer(leased.streamer_url, "other"),
        player(f"{leased.player_url}/?session={ticket('pod-1')}") as viewer,
    ):
        await viewer.send("listStreamers")
        assert (await viewer.receive("streamerList"))["ids"] == ["game"]
        await viewer.send("subscribe", streamerId="other")
        await viewer.receive("subscribeFailed")
        await viewer.send("subscribe", streamerId="game")
        await source.receive("playerConnected")


@pytest.mark.parametrize("query", ["", "?session=", "?session=a.b.c", "?session={elsewhere}", "?session={forged}"])
async def test_a_missing_or_invalid_session_token_is_refused(leased: RunningSignalserver, query: str) -> None:
    query = query.format(elsewhere=ticket("pod-2"), forged=ticket("pod-1", key="x" * 32))
    assert await refused(f"{leased.player_url}/{query}") == 403
    assert await leased.metric('signalserver_upgrades_refused_total{reason="ticket",role="player"}') == 1


# -- streamers and SFUs -----------------------------------------------------------------------------


async def test_streamers_and_sfus_send_the_token_in_a_header_or_in_the_url() -> None:
    async with running_signalserver(streamer_token="s3cret") as running:
        for url in (running.streamer_url, running.sfu_url):
            async with opened(url, Authorization="Bearer s3cret") as socket:
                assert orjson.loads(await socket.recv())["type"] == "config"
            async with opened(f"{url}/?token=s3cret") as socket:
                assert orjson.loads(await socket.recv())["type"] == "config"
            assert await refused(url) == 401
            assert await refused(url, Authorization="Bearer wrong") == 401
            assert await refused(f"{url}/?token=") == 401
        assert await running.metric('signalserver_upgrades_refused_total{reason="token",role="streamer"}') == 3
        assert await running.metric('signalserver_upgrades_refused_total{reason="token",role="sfu"}') == 3


@pytest.mark.parametrize(("takeover", "same"), [("host", True), ("token", True), ("never", False)])
async def test_a_reconnecting_streamer_takes_its_id_over_according_to_the_setting(takeover: str, *, same: bool) -> None:
    async with (
        running_signalserver(streamer_takeover=takeover, streamer_token="s3cret") as running,
        streamer(f"{running.streamer_url}/?token=s3cret", "cam") as ghost,
        opened(f"{running.streamer_url}/?token=s3cret") as socket,
    ):
        ghost.socket.transport.pause_reading()  # so that it answers no ping, as after a network failure
        back = Peer(socket)
        await back.send("endpointId", id="cam")
        assert (await back.receive("endpointIdConfirm"))["committedId"] == ("cam" if same else "cam1")
        ghost.socket.transport.resume_reading()
        if same:
            assert await ghost.closed() == (4004, "the same streamer connected again")
            await counted(running, 'signalserver_closes_total{reason="replaced",role="streamer"}')
        else:
            await ghost.send("ping")
            await ghost.receive("pong")


async def test_a_living_streamer_keeps_its_id_and_its_player_beside_a_namesake_on_its_host() -> None:
    async with (
        running_signalserver() as running,
        streamer(running.streamer_url, "DefaultStreamer") as first,
        player(running.player_url) as viewer,
    ):
        player_id = await negotiate(viewer, first, "DefaultStreamer")
        async with opened(running.streamer_url) as socket, opened(running.streamer_url) as other:
            for namesake, committed in ((socket, "DefaultStreamer1"), (other, "DefaultStreamer2")):
                await Peer(namesake).send("endpointId", id="DefaultStreamer")
                assert (await Peer(namesake).receive("endpointIdConfirm"))["committedId"] == committed
        await viewer.send("iceCandidate", candidate={"candidate": "c", "sdpMid": "0"})
        assert (await first.receive("iceCandidate"))["playerId"] == player_id


# -- bounds -----------------------------------------------------------------------------------------

FLOOD = [b'{"type":"ping"}'] * 40


@pytest.mark.parametrize(
    ("chosen", "frames", "code", "label"),
    [
        ({"max_message_bytes": 1024}, [b'{"type":"ping","time":"' + b"x" * 1024 + b'"}'], 1009, "message_too_big"),
        ({"max_nesting": 4}, [b'{"type":"ping","time":[[[[1]]]]}'], 4204, "too_deep"),
        ({"max_bad_messages": 3}, [b"null"] * 3, 4203, "bad_messages"),
        ({"max_messages_per_second": 1, "max_message_burst": 20}, FLOOD, 4104, "rate_limited"),
    ],
    ids=["size", "nesting", "sense", "rate"],
)
async def test_a_breach_of_a_limit_closes_only_that_player_with_its_code(
    chosen: dict[str, Any], frames: list[bytes], code: int, label: str
) -> None:
    async with (
        running_signalserver(**chosen) as running,
        streamer(running.streamer_url, "cam") as source,
        player(running.player_url) as good,
        player(running.player_url) as bad,
    ):
        await good.send("subscribe", streamerId="cam")
        player_id = (await source.receive("playerConnected"))["playerId"]
        for frame in frames:
            await bad.socket.send(frame, text=True)
        assert (await bad.closed())[0] == code
        await source.send("offer", sdp=SDP, playerId=player_id)
        await good.receive("offer")
        await counted(running, f'signalserver_closes_total{{reason="{label}",role="player"}}')


async def test_streamers_can_have_a_rate_limit_of_their_own() -> None:
    async with (
        running_signalserver(max_messages_per_second=1, max_message_burst=20) as running,
        streamer(running.streamer_url, "cam") as source,
    ):
        for frame in FLOOD:
            await source.socket.send(frame, text=True)
        for _ in FLOOD:
            await source.receive("pong")
    async with (
        running_signalserver(max_streamer_messages_per_second=1, max_message_burst=20) as running,
        streamer(running.streamer_url, "cam") as source,
    ):
        for frame in FLOOD:
            await source.socket.send(frame, text=True)
        assert (await source.closed())[0] == 4104


async def test_a_peer_that_answers_no_ping_is_closed() -> None:
    async with (
        running_signalserver(ping_interval=0.2, pong_timeout=2) as running,
        opened(running.player_url) as good,
        opened(running.player_url) as deaf,
    ):
        deaf.protocol.receive_data = lambda data: None  # type: ignore[method-assign]  # discards everything, also pings
        await counted(running, 'signalserver_closes_total{reason="pong_timeout",role="player"}')
        await good.send('{"type":"ping"}')
