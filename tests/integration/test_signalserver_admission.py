"""Who is let in, as what, and what a breach of a bound costs: the peer alone, with a code and a count."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from pixelfleet.fleet.tokens import SessionToken, sign
from tests.integration.peers import SDP, Peer, player, streamer
from tests.integration.signals import Signals, signals
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


async def counted(running: Signals, series: str) -> None:
    async def once() -> bool:
        return await running.metric(series) == 1

    await eventually(once, f"{series} is 1")


# -- players ----------------------------------------------------------------------------------------


async def test_only_pages_of_the_named_origins_connect_and_programs_always_may() -> None:
    async with signals(origins=["https://play.example"]) as running:
        async with opened(running.player_url, Origin="https://play.example"), opened(running.player_url):
            pass
        assert await refused(running.player_url, Origin="https://evil.example") == 403
        assert await running.metric('signalserver_upgrades_refused_total{reason="origin",role="player"}') == 1


async def test_one_player_too_many_is_refused_until_another_leaves() -> None:
    async with signals(max_players=1) as running:
        async with player(running.player_url) as first:
            await first.hear("config")
            assert await refused(running.player_url) == 503
            await first.say("ping")
            await first.hear("pong")
        assert await running.metric('signalserver_upgrades_refused_total{reason="full",role="player"}') == 1
        await eventually(lambda: running.server.players == 0, "the first has left")
        async with player(running.player_url) as second:
            await second.hear("config")


async def test_one_player_too_many_for_a_streamer_hears_so() -> None:
    async with (
        signals(max_players_per_streamer=1) as running,
        streamer(running.streamer_url, "cam"),
        player(running.player_url) as first,
        player(running.player_url) as second,
    ):
        await first.say("subscribe", streamerId="cam")
        await first.say("ping")
        await first.hear("pong")
        await second.say("subscribe", streamerId="cam")
        assert (await second.hear("subscribeFailed"))["message"] == "The streamer is full"


def ticket(server_id: str, *, key: str = KEY, role: Any = "player") -> str:
    return sign(SessionToken("session-1", server_id, "cam", "game", role), key)


@pytest.fixture
async def leased() -> AsyncIterator[Signals]:
    async with signals(session_key=KEY, require_session=True, server_id="pod-1") as running:
        yield running


async def test_a_ticket_admits_to_its_streamer_alone_under_the_apps_name(leased: Signals) -> None:
    async with (
        streamer(leased.streamer_url, "cam") as source,
        streamer(leased.streamer_url, "other"),
        player(f"{leased.player_url}/?session={ticket('pod-1')}") as viewer,
    ):
        await viewer.say("listStreamers")
        assert (await viewer.hear("streamerList"))["ids"] == ["game"]
        await viewer.say("subscribe", streamerId="other")
        await viewer.hear("subscribeFailed")
        await viewer.say("subscribe", streamerId="game")
        await source.hear("playerConnected")


@pytest.mark.parametrize("query", ["", "?session=", "?session=a.b.c", "?session={elsewhere}", "?session={forged}"])
async def test_no_ticket_or_a_wrong_one_admits_to_nothing(leased: Signals, query: str) -> None:
    query = query.format(elsewhere=ticket("pod-2"), forged=ticket("pod-1", key="x" * 32))
    assert await refused(f"{leased.player_url}/{query}") == 403
    assert await leased.metric('signalserver_upgrades_refused_total{reason="ticket",role="player"}') == 1


# -- streamers and SFUs -----------------------------------------------------------------------------


async def test_streamers_and_sfus_show_the_token_in_a_header_or_in_the_url() -> None:
    async with signals(streamer_token="s3cret") as running:
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
async def test_a_streamer_come_back_takes_its_id_where_that_is_wanted(takeover: str, *, same: bool) -> None:
    async with (
        signals(streamer_takeover=takeover, streamer_token="s3cret") as running,
        streamer(f"{running.streamer_url}/?token=s3cret", "cam") as ghost,
        opened(f"{running.streamer_url}/?token=s3cret") as socket,
    ):
        back = Peer(socket)
        await back.say("endpointId", id="cam")
        assert (await back.hear("endpointIdConfirm"))["committedId"] == ("cam" if same else "cam1")
        if same:
            assert await ghost.closed() == (4004, "the same streamer connected again")
            await counted(running, 'signalserver_closes_total{reason="replaced",role="streamer"}')
        else:
            await ghost.say("ping")
            await ghost.hear("pong")


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
async def test_a_breach_closes_that_player_alone_with_its_code(
    chosen: dict[str, Any], frames: list[bytes], code: int, label: str
) -> None:
    async with (
        signals(**chosen) as running,
        streamer(running.streamer_url, "cam") as source,
        player(running.player_url) as good,
        player(running.player_url) as bad,
    ):
        await good.say("subscribe", streamerId="cam")
        player_id = (await source.hear("playerConnected"))["playerId"]
        for frame in frames:
            await bad.socket.send(frame, text=True)
        assert (await bad.closed())[0] == code
        await source.say("offer", sdp=SDP, playerId=player_id)
        await good.hear("offer")
        await counted(running, f'signalserver_closes_total{{reason="{label}",role="player"}}')


async def test_a_streamer_has_a_rate_of_its_own_where_one_is_set() -> None:
    async with (
        signals(max_messages_per_second=1, max_message_burst=20) as running,
        streamer(running.streamer_url, "cam") as source,
    ):
        for frame in FLOOD:
            await source.socket.send(frame, text=True)
        for _ in FLOOD:
            await source.hear("pong")
    async with (
        signals(max_streamer_messages_per_second=1, max_message_burst=20) as running,
        streamer(running.streamer_url, "cam") as source,
    ):
        for frame in FLOOD:
            await source.socket.send(frame, text=True)
        assert (await source.closed())[0] == 4104


async def test_a_peer_that_answers_no_ping_is_closed() -> None:
    async with (
        signals(ping_interval=0.2, pong_timeout=2) as running,
        opened(running.player_url) as good,
        opened(running.player_url) as deaf,
    ):
        deaf.protocol.receive_data = lambda data: None  # type: ignore[method-assign]  # hears nothing, and so no ping
        await counted(running, 'signalserver_closes_total{reason="pong_timeout",role="player"}')
        await good.send('{"type":"ping"}')
