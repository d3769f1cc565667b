"""What one peer may send and hold; a breach of a limit affects no other peer."""

import asyncio
import struct
import time
from contextlib import AsyncExitStack
from typing import Final

import orjson
import pytest
from pydantic import ValidationError

from signalserver.settings import Settings
from tests.fuzz.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame
from tests.fuzz.probes import closed, closes, metric, pair, players, raw, refused, running, streamers, text
from tests.fuzz.wire import UPGRADE
from tests.fuzz.wire import connect as raw_connect
from tests.integration.peers import SDP, Peer, player, streamer
from tests.parts import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration


# -- limits of sending -------------------------------------------------------------------------------

BOUND: Final = 4096
BIG: Final = orjson.dumps({"type": "offer", "sdp": "x" * BOUND})
TOO_BIG: Final = {
    "whole": frame(TEXT, BIG),
    "much-too-big": frame(TEXT, orjson.dumps({"type": "offer", "sdp": "x" * 1_000_000})),
    "fragments": frame(TEXT, BIG[:3000], fin=False) + frame(CONTINUATION, BIG[3000:]),
    "no-end": frame(TEXT, BIG[:3000], fin=False) + frame(CONTINUATION, BIG[:3000], fin=False),
    "announced": b"\x81\xff" + struct.pack("!Q", 1 << 62) + b"\0\0\0\0",
}


@pytest.mark.parametrize("attack", sorted(TOO_BIG))
async def test_a_message_above_the_limit_closes_its_sender_with_1009_and_is_not_forwarded(attack: str) -> None:
    async with running(max_message_bytes=BOUND) as server, pair(players(server), streamers(server)) as exchange:
        async with streamer(streamers(server), "target") as target, raw(server.player_port) as wire:
            await wire.write(text(type="subscribe", streamerId="target"))
            await target.receive("playerConnected")
            await wire.write(TOO_BIG[attack])
            assert await closed(wire) == 1009
            assert (await target.receive_any())["type"] == "playerDisconnected"
        assert await closes(server, "player", "message_too_big") == 1
        await exchange()


async def test_a_message_as_large_as_the_limit_is_forwarded() -> None:
    async with (
        running(max_message_bytes=BOUND) as server,
        streamer(streamers(server), "cam") as source,
        player(players(server)) as viewer,
    ):
        await viewer.send("offer", sdp="x" * (BOUND - 40))
        assert len((await source.receive("offer"))["sdp"]) == BOUND - 40


def nested(levels: int) -> bytes:
    return frame(TEXT, b'{"type":"ping","time":' + b"[" * levels + b"]" * levels + b"}")


async def test_nesting_up_to_the_limit_and_brackets_in_strings_are_accepted() -> None:
    frames: list[bytes] = []
    async with running(max_nesting=32) as server, raw(server.player_port, frames) as wire:
        await wire.write(nested(30) + nested(31))
        await wire.write(text(type="ping", time="[" * 5_000))
        await wire.round_trip(b"1")
        assert len([each for each in frames if b'"pong"' in each]) == 3
        assert wire.is_open


@pytest.mark.parametrize("levels", [32, 1_000, 2_000])
async def test_a_message_nested_deeper_than_the_limit_closes_its_sender(levels: int) -> None:
    async with running(max_nesting=32) as server, raw(server.player_port) as wire:
        await wire.write(nested(levels))
        assert await closed(wire) == 4204


@pytest.mark.parametrize("nesting", [32, 250])
async def test_no_nesting_limit_forwards_a_message_that_cannot_be_encoded(nesting: int) -> None:
    async with running(max_nesting=nesting) as server, raw(server.player_port) as wire:
        await wire.write(nested(nesting - 1))
        await wire.round_trip(b"1")
        await wire.write(nested(nesting))
        assert await closed(wire) == 4204


def test_a_nesting_limit_above_what_can_be_encoded_is_refused() -> None:
    with pytest.raises(ValidationError, match="max_nesting"):
        Settings(max_nesting=251)


@pytest.mark.parametrize("kind", ["message", "ping", "pong", "fragments"])
async def test_a_burst_above_the_limit_closes_the_sender_with_4104(kind: str) -> None:
    one = {
        "message": text(type="pong"),
        "ping": frame(PING, b"x"),
        "pong": frame(PONG),
        "fragments": frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 39,
    }[kind]
    async with (
        running(max_messages_per_second=1, max_message_burst=20) as server,
        pair(players(server), streamers(server)) as exchange,
        raw(server.player_port) as calm,
        raw(server.player_port) as wire,
    ):
        await calm.write(text(type="pong") * 15)
        await wire.write(one * 40)
        assert await closed(wire) == 4104
        await calm.round_trip(b"1")
        assert calm.is_open
        assert await closes(server, "player", "rate_limited") == 1
        await exchange()


async def test_streamers_have_no_rate_limit_by_default() -> None:
    async with running(max_messages_per_second=1, max_message_burst=5) as server, raw(server.streamer_port) as wire:
        await wire.write(text(type="pong") * 2_000)
        await wire.round_trip(b"1")
        assert wire.is_open


@pytest.mark.parametrize("role", ["player", "streamer", "sfu"])
async def test_a_peer_with_too_many_invalid_messages_is_closed_with_4203(role: str) -> None:
    async with running(max_bad_messages=5) as server:
        async with raw(getattr(server, f"{role}_port")) as wire:
            await wire.write(frame(TEXT, b"null") * 2 + frame(TEXT, b"\xff\xfe") + frame(BINARY, b"{}"))
            await wire.round_trip(b"1")
            assert wire.is_open
            await wire.write(text(type="nonsense"))
            assert await closed(wire) == 4203
        assert await closes(server, role, "bad_messages") == 1


BROKEN: Final = {
    "bad-opcode": frame(3),
    "unmasked": frame(TEXT, b"{}", mask=None),
    "orphaned-fragment": frame(CONTINUATION, b"x"),
    "message-in-a-message": frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"),
    "ping-in-pieces": frame(PING, b"x", fin=False),
    "long-ping": frame(PING, b"x" * 126),
    "close-with-half-a-code": frame(CLOSE, b"\x03"),
    "close-with-1005": frame(CLOSE, struct.pack("!H", 1005)),
    "reserved-bit": frame(TEXT, b'{"type":"pong"}', rsv=4),
    "reserved-bit-of-a-ping": frame(PING, b"x", rsv=1),
}


@pytest.mark.parametrize("attack", sorted(BROKEN))
async def test_broken_framing_closes_its_sender_with_1002(attack: str) -> None:
    async with running() as server, raw(server.player_port) as wire:
        await wire.write(BROKEN[attack])
        assert await closed(wire) == 1002
        assert await closes(server, "player", "protocol_error") == 1


async def test_messages_after_broken_framing_are_not_forwarded() -> None:
    async with running() as server, streamer(streamers(server), "cam") as source:
        async with raw(server.player_port) as wire:
            await wire.write(text(type="subscribe", streamerId="cam"))
            await source.receive("playerConnected")
            await wire.write(frame(CLOSE, struct.pack("!H", 1004)) + text(type="offer", sdp=SDP))
            assert await closed(wire) == 1002
        assert (await source.receive_any())["type"] == "playerDisconnected"


# -- limits of connections ---------------------------------------------------------------------------


async def test_the_player_above_the_limit_is_refused_until_another_leaves() -> None:
    async with running(max_players=2) as server, player(players(server)) as first:
        async with player(players(server)):
            assert await refused(players(server)) == 503
            await first.send("ping", time=1)
            await first.receive("pong")
        await eventually(lambda: server.players == 1, "the second player is gone")
        async with player(players(server)):
            pass
        assert await metric(server, 'signalserver_upgrades_refused_total{reason="full",role="player"}') == 1


async def test_the_limit_of_players_holds_for_simultaneous_connections() -> None:
    async with running(max_players=3) as server, AsyncExitStack() as stack:
        tries = [stack.enter_async_context(player(players(server))) for _ in range(20)]
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert len([each for each in results if isinstance(each, Peer)]) == 3
        assert server.players == 3


async def test_the_subscriber_above_the_limit_gets_subscribe_failed_and_may_choose_another_streamer() -> None:
    async with (
        running(max_players_per_streamer=1) as server,
        pair(players(server), streamers(server)) as exchange,
        streamer(streamers(server), "other") as other,
        player(players(server)) as late,
    ):
        await late.send("subscribe", streamerId="good")
        assert "full" in (await late.receive("subscribeFailed"))["message"]
        await late.send("offer", sdp=SDP)
        assert "full" in (await late.receive("subscribeFailed"))["message"]
        await late.send("subscribe", streamerId="other")
        await other.receive("playerConnected")
        await exchange()


HALF_HEADS: Final = {
    "nothing": (b"",),
    "half-a-line": (b"GET / HT",),
    "no-end": (UPGRADE[:-2],),
    "empty-lines": (b"\r\n\r\n",),
    "slowly": tuple(UPGRADE[at : at + 1] for at in range(40)),
    "second-request": (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost:"),
    "idle-after-a-request": (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",),
    "endless-fields": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 2_900,),
    "body-that-never-comes": (b"POST /api/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",),
}


@pytest.mark.parametrize("attack", sorted(HALF_HEADS))
async def test_a_connection_without_a_request_in_time_is_closed(attack: str) -> None:
    async with running(handshake_seconds=0.4) as server, pair(players(server), streamers(server)) as exchange:
        begun = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.player_port)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                for part in HALF_HEADS[attack]:
                    if writer.transport.is_closing():
                        break  # uvloop does not write to a socket that was reset, and logs a warning
                    writer.write(part)
                    await asyncio.sleep(0.05)
                while await reader.read(4096):
                    pass
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
        assert time.monotonic() - begun >= (0.3 if attack != "endless-fields" else 0)
        await exchange()


async def test_a_player_that_does_not_read_is_closed_and_its_streamer_is_not_affected() -> None:
    async with (
        running(send_buffer_bytes=65_536) as server,
        streamer(streamers(server), "cam") as source,
        pair(players(server), streamers(server)) as exchange,
        raw(server.player_port) as deaf,
    ):
        await deaf.write(text(type="subscribe", streamerId="cam"))
        player_id = (await source.receive("playerConnected"))["playerId"]
        deaf.stop_reading()
        offers = 0
        while (await closes(server, "player", "slow_consumer")) == 0:
            for _ in range(20):
                await source.send("offer", sdp="x" * 16_000, playerId=player_id)
            offers += 20
            assert offers < 2_000, "32 MB wait for a peer that does not read"
        assert (await source.receive("playerDisconnected"))["playerId"] == player_id
        await exchange()


@pytest.mark.parametrize("ending", ["close-frame", "end-of-stream"])
async def test_a_player_that_closes_and_does_not_read_is_removed_soon(ending: str) -> None:
    async with (
        running(ping_interval=1, pong_timeout=1) as server,
        streamer(streamers(server), "cam") as source,
        raw(server.player_port) as deaf,
    ):
        await deaf.write(text(type="subscribe", streamerId="cam"))
        player_id = (await source.receive("playerConnected"))["playerId"]
        deaf.stop_reading()
        # More than the kernel buffers, and less than the send limit.
        for _ in range(40):
            await source.send("offer", sdp="x" * 100_000, playerId=player_id)
        await source.send("ping", time=1)
        await source.receive("pong")
        if ending == "close-frame":
            await deaf.write(frame(CLOSE, struct.pack("!H", 1000)))
        else:
            deaf.end_of_stream()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await source.receive("playerDisconnected"))["playerId"] == player_id


@pytest.mark.parametrize("role", ["player", "streamer", "sfu"])
async def test_a_peer_that_does_not_answer_pings_is_closed_with_4002(role: str) -> None:
    async with (
        running(ping_interval=0.5, pong_timeout=2) as server,
        pair(players(server), streamers(server)) as exchange,
        raw(getattr(server, f"{role}_port"), answers=False) as silent,
    ):
        assert await closed(silent) == 4002
        assert await closes(server, role, "pong_timeout") == 1
        await exchange()


async def test_a_peer_that_sends_messages_but_no_pongs_is_closed() -> None:
    async with (
        running(ping_interval=0.5, pong_timeout=2) as server,
        raw(server.player_port, answers=False) as wire,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        while not wire.is_closing:
            await wire.write(text(type="stats"))
            await asyncio.sleep(0.05)
        assert await closed(wire) == 4002


# -- isolation ---------------------------------------------------------------------------------------


async def test_a_streamer_can_neither_message_nor_disconnect_another_streamers_players() -> None:
    async with (
        running() as server,
        streamer(streamers(server), "cam") as source,
        streamer(streamers(server), "evil") as evil,
        player(players(server)) as viewer,
    ):
        await viewer.receive("config")
        await viewer.send("subscribe", streamerId="cam")
        player_id = (await source.receive("playerConnected"))["playerId"]
        for addressed in (player_id, int(player_id), f" {player_id}", f"{player_id}.0"):
            await evil.send("offer", sdp="evil", playerId=addressed)
            await evil.send("answer", sdp="evil", playerId=addressed)
            await evil.send("iceCandidate", candidate={"candidate": "evil"}, playerId=addressed)
            await evil.send("disconnectPlayer", playerId=addressed, reason="evil")
        await evil.send("layerPreference", spatialLayer=1, temporalLayer=1, playerId=player_id)
        await evil.send("streamerIdChanged", newID="evil")
        await evil.send("ping", time=1)
        await evil.receive("pong")
        await source.send("offer", sdp=SDP, playerId=player_id)
        assert await viewer.receive_any() == {"type": "offer", "sdp": SDP, "playerId": player_id}


async def test_a_players_messages_reach_its_own_streamer_only_under_its_own_id() -> None:
    async with (
        running() as server,
        streamer(streamers(server), "cam") as source,
        streamer(streamers(server), "other") as other,
        player(players(server)) as viewer,
        player(players(server)) as second,
    ):
        await viewer.send("subscribe", streamerId="cam")
        player_id = (await source.receive("playerConnected"))["playerId"]
        await second.send("subscribe", streamerId="other")
        second_id = (await other.receive("playerConnected"))["playerId"]
        await viewer.send("offer", sdp=SDP, playerId=second_id, streamerId="other", **{"": "x"})
        assert (await source.receive("offer"))["playerId"] == player_id
        for kind in (
            "disconnectPlayer",
            "playerDisconnected",
            "endpointId",
            "streamerIdChanged",
            "kick",
            "startStreaming",
        ):
            await viewer.send(kind, playerId=second_id, id="cam", newID="cam", reason="evil")
        await viewer.send("ping", time=1)
        await viewer.receive("pong")
        await second.send("offer", sdp=SDP)
        assert await other.receive_any() == {"type": "offer", "sdp": SDP, "playerId": second_id}


async def test_an_upgrade_from_firefox_or_on_a_reused_connection_is_accepted() -> None:
    async with running() as server:
        for connection in (b"keep-alive, Upgrade", b"Upgrade, keep-alive", b"upgrade", b"UPGRADE"):
            wire = await raw_connect(server.player_port, list[bytes]().append)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await wire.upgrade(UPGRADE.replace(b"Connection: Upgrade", b"Connection: " + connection))
            wire.hang_up()
