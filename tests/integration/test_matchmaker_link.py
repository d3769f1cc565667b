"""Legacy servers over the TCP link, and players through them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

import signalserver.legacy.matchmaker_link
from matchmaker.legacy import servers as legacy_servers
from tests.integration.matchmakers import RunningMatchmaker, known, running_legacy_server, running_matchmaker
from tests.integration.peers import SDP, negotiate, player, streamer
from tests.integration.signalservers import running_signalserver
from tests.parts import PATIENCE_SECONDS, eventually
from tests.standins.cirrus import UE_5_0
from tests.unit.pixelfleet.net.certificates import make_certificate

pytestmark = pytest.mark.integration


@pytest.fixture
async def matchmaker(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningMatchmaker]:
    monkeypatch.setattr(legacy_servers, "INCREASE_SECONDS", 0.0)
    async with running_matchmaker() as running:
        yield running


async def test_a_player_uses_a_legacy_server_and_its_pings_are_not_forwarded(matchmaker: RunningMatchmaker) -> None:
    async with running_legacy_server(matchmaker) as legacy, player(matchmaker.player_url) as viewer:
        await viewer.receive("config")
        for time in (1, 2):
            await viewer.send("ping", time=time)
            assert (await viewer.receive("pong"))["time"] == time
        await viewer.send("offer", sdp=SDP)
        assert (await viewer.receive("answer"))["sdp"] == SDP
        assert [message["type"] for message in legacy.received] == ["offer"]


async def test_a_legacy_server_gets_one_player_and_the_next_when_it_has_left(matchmaker: RunningMatchmaker) -> None:
    async with running_legacy_server(matchmaker) as legacy, player(matchmaker.player_url) as second_in_line:
        await second_in_line.receive("config")
        async with player(matchmaker.player_url) as viewer:
            await viewer.receive("matchmaker")
            await eventually(lambda: matchmaker.server.queue == 1, "it waits")
            await second_in_line.socket.close()
            await viewer.receive("config")
            assert legacy.players == 1
    await eventually(lambda: matchmaker.has_sessions(0), "all is free")


async def test_a_legacy_server_with_a_direct_player_is_not_matched(matchmaker: RunningMatchmaker) -> None:
    async with running_legacy_server(matchmaker) as legacy:
        async with player(f"ws://127.0.0.1:{legacy.port}"):

            async def counted() -> bool:
                return any(each.players == 1 for each in (await matchmaker.streamers()).values())

            await eventually(counted, "the player is counted")
            async with player(matchmaker.player_url) as viewer:
                await viewer.receive("matchmaker")
                await eventually(lambda: matchmaker.server.queue == 1, "it waits")
        async with player(matchmaker.player_url) as viewer:
            await viewer.receive("config")


async def test_a_server_that_answers_1013_is_a_failed_dial_and_the_player_gets_another(
    matchmaker: RunningMatchmaker,
) -> None:
    async with running_legacy_server(matchmaker, UE_5_0, streamers=()), player(matchmaker.player_url) as viewer:
        while "cannot be reached" not in str((await viewer.receive("matchmaker"))["detail"]):
            pass
        await viewer.send("offer", sdp=SDP)
        async with running_legacy_server(matchmaker) as good:
            await viewer.receive("config")
            await viewer.receive("answer")
            assert [message["type"] for message in good.received] == ["offer"]


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_server_behind_a_private_ca_is_dialled_over_tls(tmp_path: Path, *, trusted: bool) -> None:
    certificate = make_certificate(tmp_path, "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.certificate, certificate.key)
    ca = certificate.certificate if trusted else None
    async with (
        running_matchmaker(legacy_ca=ca) as matchmaker,
        running_legacy_server(matchmaker, tls=tls),
        player(matchmaker.player_url) as viewer,
    ):
        if trusted:
            await viewer.receive("config")
        else:
            while "cannot be reached" not in str((await viewer.receive("matchmaker"))["detail"]):
                pass


async def test_registrations_survive_any_framing(matchmaker: RunningMatchmaker) -> None:
    assert matchmaker.server.link_port is not None
    _, link = await asyncio.open_connection("127.0.0.1", matchmaker.server.link_port)
    messages = [
        {"type": "connect", "address": "127.0.0.1", "port": 7001, "ready": None, "playerConnected": False},
        {"type": "streamerConnected"},
        {"type": "clientConnected"},
        {"type": "clientDisconnected"},
        {"type": "ping"},
    ]
    for byte in b"noise" + b"".join(orjson.dumps(message) for message in messages):
        link.write(bytes([byte]))
        await link.drain()

    async def ready() -> bool:
        report = (await matchmaker.streamers()).get("127.0.0.1:7001/stock")
        return report is not None and report.ready and report.players == 0

    await eventually(ready, "the server is ready")
    link.close()


async def test_a_link_that_sends_megabytes_of_garbage_is_closed_and_others_remain(
    matchmaker: RunningMatchmaker,
) -> None:
    async with running_legacy_server(matchmaker) as legacy:
        assert matchmaker.server.link_port is not None
        reader, link = await asyncio.open_connection("127.0.0.1", matchmaker.server.link_port)
        link.write(b"\x00garbage{[" * 400_000)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises((ConnectionError, AssertionError)):
                assert await reader.read(1) != b""
        link.close()
        async with player(matchmaker.player_url) as viewer:
            await viewer.receive("config")
            assert legacy.players == 1


async def test_a_link_that_reconnects_is_registered_again(matchmaker: RunningMatchmaker) -> None:
    assert matchmaker.server.link_port is not None
    async with running_legacy_server(matchmaker) as legacy, player(matchmaker.player_url) as viewer:
        await viewer.receive("config")
        legacy.cut()
        await known(matchmaker, legacy, ready=False)
        await viewer.send("offer", sdp=SDP)
        await viewer.receive("answer")
        await legacy.connect(matchmaker.server.link_port)
        await known(matchmaker, legacy)
        report = (await matchmaker.streamers())[f"127.0.0.1:{legacy.port}/stock"]
        assert report.players == 1


async def test_a_half_open_link_is_closed_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_servers, "CHECK_SECONDS", 0.05)
    async with running_matchmaker(legacy_seconds=1.0) as matchmaker, running_legacy_server(matchmaker) as legacy:
        await known(matchmaker, legacy, ready=False)


async def test_a_newer_link_of_the_same_server_replaces_the_older(matchmaker: RunningMatchmaker) -> None:
    assert matchmaker.server.link_port is not None
    async with running_legacy_server(matchmaker) as legacy:
        old = legacy.link
        await legacy.connect(matchmaker.server.link_port, ready=False)
        await known(matchmaker, legacy, ready=False)
        legacy.send("streamerConnected")
        await known(matchmaker, legacy)
        assert old is not None
        old.close()


async def test_links_from_other_networks_are_refused() -> None:
    async with running_matchmaker(legacy_allow=["10.0.0.0/8"]) as matchmaker:
        assert matchmaker.server.link_port is not None
        reader, link = await asyncio.open_connection("127.0.0.1", matchmaker.server.link_port)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises((ConnectionError, AssertionError)):
                assert await reader.read(1) != b""
        link.close()


async def test_a_signalserver_can_report_as_a_legacy_server_and_be_matched(
    matchmaker: RunningMatchmaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signalserver.legacy.matchmaker_link, "RECONNECT_SECONDS", 0.05)
    async with running_signalserver(matchmaker=f"127.0.0.1:{matchmaker.server.link_port}") as running:

        async def known_as(*, ready: bool) -> bool:
            reports = (await matchmaker.streamers()).values()
            return [each.ready for each in reports] == [ready]

        await eventually(lambda: known_as(ready=False), "the server is known")
        async with streamer(running.streamer_url, "cam") as source:
            await eventually(lambda: known_as(ready=True), "its streamer is connected")
            async with player(matchmaker.player_url) as viewer:
                player_id = await negotiate(viewer, source, "cam")
                await viewer.send("layerPreference", spatialLayer=0, temporalLayer=0, playerId="")
                assert (await source.receive("layerPreference"))["playerId"] == player_id
            assert (await source.receive("playerDisconnected"))["playerId"] == player_id
        await eventually(lambda: known_as(ready=False), "its streamer has left")
        await eventually(lambda: matchmaker.has_sessions(0), "the slot is free")
