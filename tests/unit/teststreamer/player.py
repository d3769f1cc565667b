"""A player without a browser, for tests: a real WebRTC connection that decodes the video."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame, VideoFrame

from tests.parts import PATIENCE_SECONDS
from tests.unit.teststreamer.server import Message, SignallingServer
from teststreamer.datachannel_codec import DataMessage, Direction, Value, decode, encode


class Player:
    """One player; its data channel's messages are stored in order."""

    def __init__(self, server: SignallingServer, player_id: str) -> None:
        self.player_id = player_id
        self._server = server
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.channel: RTCDataChannel | None = None
        self.received: asyncio.Queue[DataMessage] = asyncio.Queue()
        self._tracks: defaultdict[str, asyncio.Future[MediaStreamTrack]] = defaultdict(
            asyncio.get_running_loop().create_future
        )
        self.connection.on("track", lambda track: self._tracks[track.kind].set_result(track))
        self.connection.on("datachannel", self.use)

    def use(self, channel: RTCDataChannel) -> None:
        self.channel = channel
        channel.on("message", lambda data: self.received.put_nowait(decode(data, Direction.FROM_STREAMER)))

    async def answer(self, offer: Message, codec: str | None = None) -> None:
        """Answer the streamer's offer, with one codec only if it is given."""
        await self.connection.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        if codec is not None:
            transceiver = next(each for each in self.connection.getTransceivers() if each.kind == "video")
            capabilities = RTCRtpReceiver.getCapabilities("video")
            assert capabilities is not None
            transceiver.setCodecPreferences([each for each in capabilities.codecs if each.name == codec])
            await self.connection.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        sdp = self.connection.localDescription.sdp
        await self._server.send(type="answer", playerId=self.player_id, sdp=sdp)

    async def offer(self) -> None:
        """Create the offer, as players of 4.27 do."""
        self.connection.addTransceiver("video", direction="recvonly")
        self.use(self.connection.createDataChannel("cirrus"))
        await self.connection.setLocalDescription(await self.connection.createOffer())
        sdp = self.connection.localDescription.sdp
        await self._server.send(type="offer", playerId=self.player_id, sdp=sdp)

    async def add(self, message: Message) -> None:
        """Add a candidate of the streamer."""
        candidate = candidate_from_sdp(message["candidate"]["candidate"].removeprefix("candidate:"))
        candidate.sdpMid = message["candidate"]["sdpMid"]
        await self.connection.addIceCandidate(candidate)

    async def frame(self) -> VideoFrame:
        """Return the next frame of the video."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame = await (await asyncio.shield(self._tracks["video"])).recv()
        assert isinstance(frame, VideoFrame)
        return frame

    async def samples(self) -> AudioFrame:
        """Return the next frame of the sound."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame = await (await asyncio.shield(self._tracks["audio"])).recv()
        assert isinstance(frame, AudioFrame)
        return frame

    async def receive(self, name: str) -> dict[str, Any]:
        """Return the fields of the next message with this name; skip others before it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = await self.received.get()
                if message.name == name:
                    return dict(message.values)

    def send(self, name: str, *values: Value) -> None:
        assert self.channel is not None
        self.channel.send(encode(name, *values, direction=Direction.TO_STREAMER))


@contextlib.asynccontextmanager
async def player(server: SignallingServer, player_id: str = "101") -> AsyncIterator[Player]:
    """Create a player and close it after use."""
    made = Player(server, player_id)
    try:
        yield made
    finally:
        await made.connection.close()


@contextlib.asynccontextmanager
async def playing(server: SignallingServer, player_id: str = "101", codec: str | None = None) -> AsyncIterator[Player]:
    """Connect a player to the streamer, and wait until it has a frame and the greeting."""
    async with player(server, player_id) as made:
        await server.send(type="playerConnected", playerId=player_id, dataChannel=True, sfu=False)
        await made.answer(await server.receive("offer"), codec)
        async with asyncio.TaskGroup() as tasks:
            pump = tasks.create_task(_trickle(server, made))
            with contextlib.suppress(MediaStreamError):
                await made.frame()
            await made.receive("InputControlOwnership")
            pump.cancel()
        yield made


async def _trickle(server: SignallingServer, made: Player) -> None:
    while True:
        await made.add(await server.candidates[made.player_id].get())
