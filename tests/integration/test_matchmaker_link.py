"""Stock signalling servers over the TCP link, and players through them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

import signalserver.legacy.matchmaker_link
from matchmaker.legacy import servers as stock_servers
from tests.integration.matches import Matches, known, matches, stock_server
from tests.integration.peers import SDP, player, streamer
from tests.integration.signals import signals
from tests.parts import PATIENCE_SECONDS, eventually
from tests.unit.pixelfleet.net.certificates import make_certificate

pytestmark = pytest.mark.integration


@pytest.fixture
async def matched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Matches]:
    monkeypatch.setattr(stock_servers, "INCREASE_SECONDS", 0.0)
    async with matches() as running:
        yield running


async def test_a_player_plays_through_a_stock_server_and_its_pings_never_reach_it(matched: Matches) -> None:
    async with stock_server(matched) as stock, player(matched.player_url) as viewer:
        await viewer.hear("config")
        for time in (1, 2):
            await viewer.say("ping", time=time)
            assert (await viewer.hear("pong"))["time"] == time
        await viewer.say("offer", sdp=SDP)
        assert (await viewer.hear("answer"))["sdp"] == SDP
        assert [message["type"] for message in stock.heard] == ["offer"]


async def test_one_player_a_server_and_the_next_when_it_has_left(matched: Matches) -> None:
    async with stock_server(matched) as stock, player(matched.player_url) as second_in_line:
        await second_in_line.hear("config")
        async with player(matched.player_url) as viewer:
            await viewer.hear("matchmaker")
            await eventually(lambda: matched.server.queue == 1, "it waits")
            await second_in_line.socket.close()
            await viewer.hear("config")
            assert stock.players == 1
    await eventually(lambda: matched.has_sessions(0), "all is free")


async def test_a_server_that_somebody_uses_directly_is_not_given_away(matched: Matches) -> None:
    async with stock_server(matched) as stock:
        async with player(f"ws://127.0.0.1:{stock.port}"):

            async def counted() -> bool:
                return any(each.players == 1 for each in (await matched.streamers()).values())

            await eventually(counted, "the player is counted")
            async with player(matched.player_url) as viewer:
                await viewer.hear("matchmaker")
                await eventually(lambda: matched.server.queue == 1, "it waits")
        async with player(matched.player_url) as viewer:
            await viewer.hear("config")


async def test_a_server_that_answers_1013_is_a_failed_dial_and_the_player_gets_another(matched: Matches) -> None:
    async with stock_server(matched, refuses=True), player(matched.player_url) as viewer:
        while "cannot be reached" not in str((await viewer.hear("matchmaker"))["detail"]):
            pass
        await viewer.say("offer", sdp=SDP)
        async with stock_server(matched) as good:
            await viewer.hear("config")
            await viewer.hear("answer")
            assert [message["type"] for message in good.heard] == ["offer"]


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_server_behind_a_private_ca_is_dialled_over_tls(tmp_path: Path, *, trusted: bool) -> None:
    certificate = make_certificate(tmp_path, "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.certificate, certificate.key)
    ca = certificate.certificate if trusted else None
    async with matches(legacy_ca=ca) as matched, stock_server(matched, tls=tls), player(matched.player_url) as viewer:
        if trusted:
            await viewer.hear("config")
        else:
            while "cannot be reached" not in str((await viewer.hear("matchmaker"))["detail"]):
                pass


async def test_registrations_survive_any_framing(matched: Matches) -> None:
    assert matched.server.link_port is not None
    _, link = await asyncio.open_connection("127.0.0.1", matched.server.link_port)
    said = [
        {"type": "connect", "address": "127.0.0.1", "port": 7001, "ready": None, "playerConnected": False},
        {"type": "streamerConnected"},
        {"type": "clientConnected"},
        {"type": "clientDisconnected"},
        {"type": "ping"},
    ]
    for byte in b"noise" + b"".join(orjson.dumps(message) for message in said):
        link.write(bytes([byte]))
        await link.drain()

    async def ready() -> bool:
        report = (await matched.streamers()).get("127.0.0.1:7001/stock")
        return report is not None and report.ready and report.players == 0

    await eventually(ready, "the server is ready")
    link.close()


async def test_a_link_that_sends_megabytes_of_garbage_is_cut_and_the_others_stay(matched: Matches) -> None:
    async with stock_server(matched) as stock:
        assert matched.server.link_port is not None
        reader, link = await asyncio.open_connection("127.0.0.1", matched.server.link_port)
        link.write(b"\x00garbage{[" * 400_000)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises((ConnectionError, AssertionError)):
                assert await reader.read(1) != b""
        link.close()
        async with player(matched.player_url) as viewer:
            await viewer.hear("config")
            assert stock.players == 1


async def test_a_link_that_breaks_and_comes_back_is_whole_again(matched: Matches) -> None:
    assert matched.server.link_port is not None
    async with stock_server(matched) as stock, player(matched.player_url) as viewer:
        await viewer.hear("config")
        stock.cut()
        await known(matched, stock, ready=False)
        await viewer.say("offer", sdp=SDP)
        await viewer.hear("answer")
        await stock.connect(matched.server.link_port)
        await known(matched, stock)
        report = (await matched.streamers())[f"127.0.0.1:{stock.port}/stock"]
        assert report.players == 1


async def test_a_half_open_link_is_dropped_after_its_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_servers, "CHECK_SECONDS", 0.05)
    async with matches(legacy_seconds=1.0) as matched, stock_server(matched) as stock:
        await known(matched, stock, ready=False)


async def test_a_newer_link_of_the_same_server_speaks_for_it(matched: Matches) -> None:
    assert matched.server.link_port is not None
    async with stock_server(matched) as stock:
        old = stock.link
        await stock.connect(matched.server.link_port, ready=False)
        await known(matched, stock, ready=False)
        stock.say("streamerConnected")
        await known(matched, stock)
        assert old is not None
        old.close()


async def test_links_from_elsewhere_are_refused() -> None:
    async with matches(legacy_allow=["10.0.0.0/8"]) as matched:
        assert matched.server.link_port is not None
        reader, link = await asyncio.open_connection("127.0.0.1", matched.server.link_port)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises((ConnectionError, AssertionError)):
                assert await reader.read(1) != b""
        link.close()


async def test_our_own_signalserver_reports_as_a_stock_one_and_is_played_through(
    matched: Matches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signalserver.legacy.matchmaker_link, "RECONNECT_SECONDS", 0.05)
    async with signals(matchmaker=f"127.0.0.1:{matched.server.link_port}") as running:

        async def known_as(*, ready: bool) -> bool:
            reports = (await matched.streamers()).values()
            return [each.ready for each in reports] == [ready]

        await eventually(lambda: known_as(ready=False), "the server is known")
        async with streamer(running.streamer_url, "cam") as source:
            await eventually(lambda: known_as(ready=True), "its streamer is there")
            async with player(matched.player_url) as viewer:
                await viewer.hear("config")
                await viewer.say("listStreamers")
                assert (await viewer.hear("streamerList"))["ids"] == ["cam"]
                await viewer.say("subscribe", streamerId="cam")
                player_id = (await source.hear("playerConnected"))["playerId"]
                await source.say("offer", sdp=SDP, playerId=player_id)
                assert (await viewer.hear("offer"))["sdp"] == SDP
                await viewer.say("answer", sdp=SDP)
                assert (await source.hear("answer"))["playerId"] == player_id
            assert (await source.hear("playerDisconnected"))["playerId"] == player_id
        await eventually(lambda: known_as(ready=False), "its streamer has left")
        await eventually(lambda: matched.has_sessions(0), "the slot is free")
