"""Streamers of earlier versions on real sockets."""

import orjson
from websockets.asyncio.client import ClientConnection, connect

from pixelfleet.protocol.dialects import STRICT_STREAMER_UNDERSTANDS
from tests.integration.peers import SDP, Message, Peer, player
from tests.integration.signalservers import running_signalserver


class Unreal50:
    """A streamer that closes the connection on a message that it does not know, and connects again, as 5.0 and 5.1."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: ClientConnection | None = None
        self.refused: list[str] = []

    async def receive(self, kind: str) -> Message:
        """Return the next message of this type; announce the id whenever the server asks for it."""
        while True:
            if self._socket is None:
                self._socket = await connect(self._url, compression=None, proxy=None)
            message = await Peer(self._socket).receive_any()
            if message["type"] == kind:
                return message
            if message["type"] == "identify":
                await self.send("endpointId", id="cam")
            elif message["type"] not in STRICT_STREAMER_UNDERSTANDS:
                self.refused.append(message["type"])
                await self._socket.close(4000, f"Unsupported message `{message['type']}` received from SS")
                self._socket = None

    async def send(self, kind: str, **fields: object) -> None:
        assert self._socket is not None
        await self._socket.send(orjson.dumps({"type": kind, **fields}).decode())

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()


async def test_a_5_0_streamer_connects_twice_and_plays_with_a_current_page() -> None:
    async with running_signalserver() as running, player(running.player_url) as viewer:
        streamer = Unreal50(running.streamer_url)
        await streamer.receive("identify")
        await streamer.send("endpointId", id="cam")
        await streamer.receive("identify")  # of the second connection
        await streamer.send("endpointId", id="cam")
        await streamer.send("ping", time=1)
        await streamer.receive("pong")
        await viewer.send("subscribe", streamerId="cam")
        player_id = (await streamer.receive("playerConnected"))["playerId"]
        await streamer.send("offer", sdp=SDP, playerId=player_id)
        await viewer.receive("offer")
        await viewer.send("layerPreference", spatialLayer=0, temporalLayer=0, playerId="")
        await viewer.send("answer", sdp=SDP)
        assert (await streamer.receive("answer"))["sdp"] == SDP
        assert streamer.refused == ["endpointIdConfirm"]
        dropped = 'signalserver_messages_dropped_total{role="player",type="layerPreference"}'
        assert await running.metric(dropped) == 1
        await streamer.close()
