"""The streamer against a signalling server and real WebRTC players."""

import asyncio
import contextlib
import gc
import json
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiortc import RTCDtlsParameters, RTCDtlsTransport, RTCSessionDescription

from tests.parts import PATIENCE_SECONDS, eventually
from tests.unit.teststreamer.player import Player, player, playing
from tests.unit.teststreamer.server import Message, SignallingServer, listening
from teststreamer.app import running
from teststreamer.datachannel_codec import FROM_STREAMER, TO_STREAMER
from teststreamer.settings import Settings
from teststreamer.streamer import Streamer

ENDS_SECONDS = 15.0
"""The limit for a shutdown; one that waits for players or for a TURN server would take longer."""


@pytest.fixture
async def server() -> AsyncIterator[SignallingServer]:
    async with listening() as made:
        yield made
    # Collect garbage here, so that leaks of a connection fail this test and not another.
    gc.collect()


@pytest.fixture
async def streamer(server: SignallingServer) -> AsyncIterator[Streamer]:
    async with running(Settings(url=server.url, id="cam")) as made:
        await server.register()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await made.connected.wait()
        yield made


async def test_the_confirmed_id_is_used(server: SignallingServer) -> None:
    async with running(Settings(url=server.url, id="cam")) as streamer:
        assert await server.register("cam1") == "cam"
        async with asyncio.timeout(PATIENCE_SECONDS):
            await streamer.connected.wait()
        assert streamer.streamer_id == "cam1"


async def test_a_player_sees_the_video_and_is_greeted(server: SignallingServer, streamer: Streamer) -> None:
    async with player(server) as made:
        await server.send(type="playerConnected", playerId="101", dataChannel=True, sfu=False)
        await made.answer(await server.receive("offer"))
        await made.add(await server.candidates["101"].get())
        frame = await made.frame()
        assert (frame.width, frame.height) == (1280, 720)
        assert frame.to_ndarray(format="gray").std() > 20, "a picture, not one colour"
        for direction, table in ((0, TO_STREAMER), (1, FROM_STREAMER)):
            announced = json.loads((await made.receive("Protocol"))["text"])
            assert announced.pop("Direction") == direction
            assert {name: entry["id"] for name, entry in announced.items()}.items() <= {
                name: layout.id for name, layout in table.items()
            }.items()
        assert json.loads((await made.receive("InitialSettings"))["text"])["WebRTC"]["FPS"] == 30
        assert float((await made.receive("VideoEncoderAvgQP"))["text"]) >= 0
        assert await made.receive("QualityControlOwnership") == {"owned": 1}
        assert await made.receive("InputControlOwnership") == {"owned": 1}
        assert streamer.players["101"].connected


@pytest.mark.parametrize(("codec", "name"), [("h264", "H264"), ("vp8", "VP8")])
async def test_the_players_choice_of_codec_takes_precedence(
    server: SignallingServer, streamer: Streamer, codec: str, name: str
) -> None:
    async with playing(server, codec=name) as made:
        assert streamer.players["101"].feed.codec == codec
        assert (await made.frame()).width == 1280


async def test_the_codec_of_the_settings_is_offered_first(server: SignallingServer) -> None:
    async with running(Settings(url=server.url, codec="vp8")) as streamer:
        await server.register()
        async with playing(server):
            assert streamer.players["101"].feed.codec == "vp8"


async def test_a_4_27_player_offers(server: SignallingServer, streamer: Streamer) -> None:
    async with player(server, "7") as made:
        await made.offer()
        await made.connection.setRemoteDescription(_answer(await server.receive("answer")))
        await made.add(await server.candidates["7"].get())
        assert (await made.frame()).height == 720
        assert await made.receive("QualityControlOwnership") == {"owned": 1}
        assert [*streamer.players] == ["7"]


async def test_a_4_27_player_that_asks_for_sound_gets_it(server: SignallingServer, streamer: Streamer) -> None:
    async with player(server, "7") as made:
        made.connection.addTransceiver("audio", direction="recvonly")
        await made.offer()
        await made.connection.setRemoteDescription(_answer(await server.receive("answer")))
        await made.add(await server.candidates["7"].get())
        assert (await made.frame()).height == 720
        assert (await made.samples()).sample_rate == 48000


async def test_players_hear_the_sound(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server) as made:
        frames = [await made.samples() for _ in range(60)]
        assert {frame.sample_rate for frame in frames} == {48000}
        assert max(int(np.abs(frame.to_ndarray()).max()) for frame in frames) > 1000


async def test_without_sound_only_the_video_is_offered(server: SignallingServer) -> None:
    async with running(Settings(url=server.url, sound=False)), player(server):
        await server.register()
        await server.send(type="playerConnected", playerId="101", dataChannel=True, sfu=False)
        offer = (await server.receive("offer"))["sdp"]
        assert "m=video " in offer
        assert "m=audio " not in offer


async def test_the_next_player_does_not_see_the_input_of_the_last(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server) as made:
        made.send("KeyDown", 65, 0)
        made.send("MouseDown", 0, 100, 100)
        made.send("UIInteraction", "hello")
        await made.receive("Response")
        assert streamer._scene(1).last_input == "UIInteraction hello"
        await server.send(type="playerDisconnected", playerId="101")
        assert await server.received_nothing()
    scene = streamer._scene(2)
    assert (scene.last_input, scene.pointer, scene.marks, scene.key) == ("", None, (), None)


async def test_no_offer_is_sent_with_send_offer_false(server: SignallingServer, streamer: Streamer) -> None:
    await server.send(type="playerConnected", playerId="101", dataChannel=True, sfu=False, sendOffer=False)
    assert await server.received_nothing()
    async with player(server) as made:
        await made.offer()
        await made.connection.setRemoteDescription(_answer(await server.receive("answer")))
        await made.add(await server.candidates["101"].get())
        assert (await made.frame()).width == 1280


async def test_a_player_that_offers_at_once_is_answered(server: SignallingServer, streamer: Streamer) -> None:
    async with player(server) as made:
        made.connection.addTransceiver("video", direction="recvonly")
        made.use(made.connection.createDataChannel("cirrus"))
        await made.connection.setLocalDescription(await made.connection.createOffer())
        text = made.connection.localDescription.sdp
        await server.send(type="offer", playerId="101", sdp="nonsense")
        await server.send(type="offer", playerId="101", sdp=text)
        await made.connection.setRemoteDescription(_answer(await server.receive("answer")))
        await made.add(await server.candidates["101"].get())
        assert (await made.frame()).width == 1280


async def test_when_offers_cross_the_streamers_takes_precedence(server: SignallingServer, streamer: Streamer) -> None:
    async with player(server) as made:
        await server.send(type="playerConnected", playerId="101")
        offer = await server.receive("offer")
        await server.send(type="offer", playerId="101", sdp="v=0")
        await made.answer(offer)
        await made.add(await server.candidates["101"].get())
        assert (await made.frame()).width == 1280


async def test_input_is_recorded_and_answered(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server) as made:
        made.send("MouseDown", 0, 16384, 32768)
        made.send("KeyDown", 65, 0)
        made.send("UIInteraction", '{"do":"dance"}')
        response = json.loads((await made.receive("Response"))["text"])
        assert response["received"] == {"do": "dance"}
        assert (response["type"], response["streamer"], response["player"]) == ("echo", "cam", "101")
        click, key, interaction = streamer.inputs
        assert (click.kind, click.x, click.y, click.player_id) == ("MouseDown", 0.25, 0.5, "101")
        assert (key.kind, key.key) == ("KeyDown", "A")
        assert (interaction.kind, interaction.text) == ("UIInteraction", '{"do":"dance"}')


async def test_garbage_on_the_data_channel_is_counted_and_ignored(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server) as made:
        assert made.channel is not None
        for data in (b"\xff", b"\x3c", b"\x32\xff\xff", "text"):
            made.channel.send(data)
        made.send("UIInteraction", "1")
        await made.receive("Response")
        assert streamer.stage.counts["malformed"] == 4


async def test_a_player_that_requests_a_keyframe_gets_one(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server) as made:
        for ask in (_ask_by_data_channel, _ask_by_rtcp):
            while (await made.frame()).key_frame:
                pass
            await ask(made)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (await made.frame()).key_frame:
                    pass


async def _ask_by_data_channel(made: Player) -> None:
    made.send("IFrameRequest")


async def _ask_by_rtcp(made: Player) -> None:
    receiver = next(each for each in made.connection.getReceivers() if each.track.kind == "video")
    (source,) = receiver.getSynchronizationSources()
    await receiver._send_rtcp_pli(source.source)


async def test_the_bitrate_follows_what_the_player_can_receive(server: SignallingServer, streamer: Streamer) -> None:
    estimates: list[int] = []
    aim = streamer.broadcaster.aim

    def received(bitrate: int) -> None:
        estimates.append(bitrate)
        aim(bitrate)

    streamer.broadcaster.aim = received  # type: ignore[method-assign]  # listens in
    async with playing(server) as made:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not estimates:
                await made.frame()
    assert estimates[0] > 0


async def test_players_share_each_frame(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server, "101") as first, playing(server, "102") as second:
        assert len(streamer.players) == 2
        before = streamer.broadcaster.frames
        frames = [await made.frame() for _ in range(20) for made in (first, second)]
        assert len(frames) == 40
        assert streamer.broadcaster.frames - before < 40
        second.send("RequestQualityControl")
        assert await second.receive("QualityControlOwnership") == {"owned": 1}
        assert await first.receive("QualityControlOwnership") == {"owned": 0}


async def test_control_of_the_quality_passes_on(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server, "101"), playing(server, "102") as second:
        assert streamer.stage.quality_controller == "101"
        await server.send(type="playerDisconnected", playerId="101")
        assert await second.receive("QualityControlOwnership") == {"owned": 1}


async def test_a_player_can_pause_the_video(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server) as made:
        made.send("StopStreaming")
        made.send("UIInteraction", "1")
        await made.receive("Response")
        feed = streamer.players["101"].feed
        assert not feed.playing
        made.send("StartStreaming")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (await made.frame()).key_frame:
                pass
        assert feed.playing


async def test_nothing_is_drawn_without_players(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server):
        assert streamer.broadcaster._watched.is_set()
        await server.send(type="playerDisconnected", playerId="101")
        await asyncio.wait(streamer._serving, timeout=PATIENCE_SECONDS)
        assert not streamer.players
    assert not streamer.broadcaster._watched.is_set()


async def test_a_player_above_the_limit_is_disconnected(server: SignallingServer) -> None:
    async with running(Settings(url=server.url, max_players=1)) as streamer:
        await server.register()
        await server.send(type="playerConnected", playerId="101")
        await server.receive("offer")
        await server.send(type="playerConnected", playerId="102")
        away = await server.receive("disconnectPlayer")
        assert (away["playerId"], away["reason"]) == ("102", "the streamer is full")
        assert [*streamer.players] == ["101"]


async def test_a_player_whose_media_does_not_flow_is_disconnected(server: SignallingServer) -> None:
    async with running(Settings(url=server.url, connect_seconds=0.2)) as streamer:
        await server.register()
        await server.send(type="playerConnected", playerId="101")
        await server.receive("offer")
        away = await server.receive("disconnectPlayer")
        assert away["playerId"] == "101"
        assert not streamer.players


async def test_an_invalid_answer_disconnects_only_its_player(server: SignallingServer, streamer: Streamer) -> None:
    async with playing(server, "101") as made:
        for player_id, text in (("102", "nonsense"), ("103", "v=0\r\nm=\r\n"), ("104", "")):
            await server.send(type="playerConnected", playerId=player_id)
            await server.receive("offer")
            await server.send(type="answer", playerId=player_id, sdp=text)
            assert (await server.receive("disconnectPlayer"))["playerId"] == player_id
        assert [*streamer.players] == ["101"]
        assert (await made.frame()).width == 1280


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        "{}",
        '{"type":1}',
        '{"type":"unheardOf"}',
        '{"type":"playerConnected"}',
        '{"type":"playerConnected","playerId":[]}',
        '{"type":"playerDisconnected"}',
        '{"type":"playerDisconnected","playerId":"nobody"}',
        '{"type":"answer","sdp":"v=0"}',
        '{"type":"answer","playerId":"nobody","sdp":"v=0"}',
        '{"type":"iceCandidate","playerId":"nobody","candidate":{}}',
        '{"type":"config","peerConnectionOptions":7}',
        '{"type":"endpointIdConfirm"}',
        "\x00",
    ],
)
async def test_invalid_messages_of_the_server_are_ignored(
    server: SignallingServer, streamer: Streamer, text: str
) -> None:
    await server.send_raw(text)
    assert await server.received_nothing()
    assert server.connections == 1


@pytest.mark.parametrize(
    "candidate",
    [
        {"candidate": ""},
        {"candidate": "nonsense"},
        {"candidate": "candidate:1 1 udp 2 x.local 9 typ host", "sdpMid": "0"},
        {"candidate": "candidate:1 1 udp 2 8c0f9a7e-aaaa.local 50000 typ host", "sdpMid": "0", "sdpMLineIndex": 0},
        {"candidate": "candidate:1 1 tcp 2 127.0.0.1 9 typ host tcptype active", "sdpMid": "0"},
        {"candidate": "candidate:1 1 udp 2 127.0.0.1 99999999 typ host", "sdpMid": "0"},
        {"candidate": "candidate:1 7 udp 2 127.0.0.1 9 typ host", "sdpMid": "9"},
        {"candidate": "x" * 5000},
        {},
        7,
    ],
)
async def test_unusable_candidates_are_ignored(server: SignallingServer, streamer: Streamer, candidate: object) -> None:
    async with player(server) as made:
        await server.send(type="playerConnected", playerId="101")
        offer = await server.receive("offer")
        await server.send(type="iceCandidate", playerId="101", candidate=candidate)
        await made.answer(offer)
        await server.send(type="iceCandidate", playerId="101", candidate=candidate)
        await made.add(await server.candidates["101"].get())
        assert (await made.frame()).width == 1280


async def test_the_end_of_the_server_ends_the_players_and_the_streamer_reconnects(
    server: SignallingServer, streamer: Streamer
) -> None:
    async with playing(server, "101"):
        await server.drop()
        await server.register()
        assert server.connections == 2
        assert not streamer.players
    async with playing(server, "102"):
        assert [*streamer.players] == ["102"]


async def test_shutdown_is_quick_while_players_watch(server: SignallingServer) -> None:
    async with contextlib.AsyncExitStack() as players:
        async with running(Settings(url=server.url)):
            await server.register()
            for player_id in ("101", "102"):
                await players.enter_async_context(playing(server, player_id))
            began = time.perf_counter()
        assert time.perf_counter() - began < ENDS_SECONDS


async def test_shutdown_is_quick_while_a_turn_server_does_not_answer(server: SignallingServer) -> None:
    silent = {"urls": ["turn:127.0.0.1:9", "stun:127.0.0.1:9"], "username": "u", "credential": "c"}
    async with running(Settings(url=server.url)):
        await server.register(iceServers=[silent])
        await server.send(type="playerConnected", playerId="101")
        await server.receive("offer")
        began = time.perf_counter()
    assert time.perf_counter() - began < ENDS_SECONDS


def _answer(message: Message) -> RTCSessionDescription:
    return RTCSessionDescription(message["sdp"], "answer")


async def test_a_player_that_leaves_during_its_handshake_leaves_no_error(
    server: SignallingServer, streamer: Streamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    shaking_hands, closing = asyncio.Event(), asyncio.Event()

    async def interrupted(transport: RTCDtlsTransport, _: RTCDtlsParameters) -> None:
        """End, as a handshake to which a datagram arrives, at the moment at which the connection begins to close."""
        if transport.transport.role == "controlled":  # the player's
            return
        transport.transport.on("statechange", closing.set)
        shaking_hands.set()
        await closing.wait()

    monkeypatch.setattr(RTCDtlsTransport, "start", interrupted)
    async with player(server) as made:
        await server.send(type="playerConnected", playerId="101", dataChannel=True, sfu=False)
        await made.answer(await server.receive("offer"))
        await made.add(await server.candidates["101"].get())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await shaking_hands.wait()
        await server.send(type="playerDisconnected", playerId="101")
        await eventually(lambda: not streamer._serving, "the connection is closed")
    gc.collect()
    assert await server.received_nothing()
    assert not errors
