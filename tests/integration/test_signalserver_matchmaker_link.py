"""Reports to a legacy matchmaker, over a TCP link that may break at any point."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import orjson
import pytest

import signalserver.legacy.matchmaker_link
from tests.integration.peers import Message, player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.parts import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration


class Matchmaker:
    """Accepts links, and collects the messages of the latest one."""

    def __init__(self) -> None:
        self.links: list[asyncio.StreamWriter] = []
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links.append(writer)
        buffer = b""
        while data := await reader.read(4096):
            # No string in these messages holds a brace.
            buffer += data
            while b"}" in buffer:
                one, _, buffer = buffer.partition(b"}")
                self.messages.put_nowait(orjson.loads(one + b"}"))
        writer.close()

    async def receive(self) -> Message:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.messages.get()


@pytest.fixture
async def matchmaker(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Matchmaker]:
    monkeypatch.setattr(signalserver.legacy.matchmaker_link, "RECONNECT_SECONDS", 0.05)
    made = Matchmaker()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    for link in made.links:
        link.close()


@pytest.fixture
async def reporting(matchmaker: Matchmaker) -> AsyncIterator[RunningSignalserver]:
    async with running_signalserver(
        matchmaker=f"127.0.0.1:{matchmaker.port}", public_url="ws://10.0.0.7:4000", rest_token="t" * 8
    ) as running:
        yield running


def connect_message(*, ready: bool, playing: bool) -> Message:
    return {
        "type": "connect",
        "address": "10.0.0.7",
        "port": 4000,
        "https": False,
        "ready": ready,
        "playerConnected": playing,
    }


async def test_streamers_players_and_drains_are_reported(
    matchmaker: Matchmaker, reporting: RunningSignalserver
) -> None:
    assert await matchmaker.receive() == connect_message(ready=False, playing=False)
    assert await reporting.metric("signalserver_matchmaker_socket_open_indicator") == 1
    async with streamer(reporting.streamer_url, "cam"):
        assert await matchmaker.receive() == {"type": "streamerConnected"}
        async with player(reporting.player_url):
            assert await matchmaker.receive() == {"type": "clientConnected"}
        assert await matchmaker.receive() == {"type": "clientDisconnected"}
        await reporting.ask("POST", "/api/drain", headers={"Authorization": "Bearer tttttttt"})
        assert await matchmaker.receive() == {"type": "streamerDisconnected"}


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_lost_link_reconnects_and_reports_the_complete_state(
    matchmaker: Matchmaker, reporting: RunningSignalserver, *, reset: bool
) -> None:
    await matchmaker.receive()
    async with (
        streamer(reporting.streamer_url, "cam"),
        player(reporting.player_url),
        player(reporting.player_url) as second,
    ):
        for kind in ("streamerConnected", "clientConnected", "clientConnected"):
            assert (await matchmaker.receive())["type"] == kind
        link = matchmaker.links[-1]
        if reset:
            linger = struct.pack("ii", 1, 0)
            link.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        link.close()
        assert await matchmaker.receive() == connect_message(ready=True, playing=True)
        assert await matchmaker.receive() == {"type": "clientConnected"}
        await second.send("ping")
        await second.receive("pong")


async def test_an_unreachable_matchmaker_does_not_affect_the_server(matchmaker: Matchmaker) -> None:
    async with running_signalserver(matchmaker="127.0.0.1:9") as running, streamer(running.streamer_url, "cam"):
        assert await running.metric("signalserver_matchmaker_socket_open_indicator") == 0
        assert await running.ready() is None


async def test_the_link_is_kept_alive_with_pings(matchmaker: Matchmaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signalserver.legacy.matchmaker_link, "PING_SECONDS", 0.02)
    async with running_signalserver(matchmaker=f"127.0.0.1:{matchmaker.port}"):
        assert (await matchmaker.receive())["type"] == "connect"
        for _ in range(3):
            assert await matchmaker.receive() == {"type": "ping"}
    await eventually(matchmaker.links[-1].is_closing, "the link is closed")
