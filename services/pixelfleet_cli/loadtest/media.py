"""The media of a player: receives and decodes video and sound with aiortc, and measures them."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from aiortc import MediaStreamTrack, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from pixelfleet.protocol.messages import BadMessageError, IceCandidate, Message
from pixelfleet_cli.loadtest.core import errors
from pixelfleet_cli.loadtest.core.results import MediaPlayer
from pixelfleet_cli.loadtest.core.tally import Span
from pixelfleet_cli.loadtest.load import Load
from teststreamer import sdp
from teststreamer.connection import Connection
from teststreamer.dialect import Config, read, remote_candidate, rtc_configuration

FIRST_FRAME_SECONDS: Final = 30.0
"""After this time without a video frame the media have failed."""

CLOSE_SECONDS: Final = 2.0
MAX_INBOX: Final = 256
MAX_ROWS: Final = 200
"""The most players with media in a report."""


class ReceivedMedia:
    """The WebRTC connection of one player. It answers the streamer's offer."""

    def __init__(self, load: Load, send: Callable[[Message], None]) -> None:
        self._load, self._send = load, send
        self._begun = load.now
        self._config = Config()
        self._inbox: asyncio.Queue[Message] = asyncio.Queue(MAX_INBOX)
        self._connection: Connection | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._frames = 0
        self._first: float | None = None
        self._since = 0.0
        """When the first frame arrived."""
        self._expected = 0
        self._error = ""
        self._spawn(self._negotiate())
        self._spawn(self._expect_frame())

    def take(self, message: Message) -> None:
        """Queue a message of the negotiation."""
        if message["type"] in ("config", "offer", "iceCandidate") and not self._inbox.full():
            self._inbox.put_nowait(message)

    async def close(self) -> None:
        """End the connection, and add what was received to the results."""
        for task in self._tasks:
            task.cancel()
        row = await self._row()
        if len(self._load.media) < MAX_ROWS:
            self._load.media.append(row)
        self._load.playing_media -= 1
        if self._connection is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._connection.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _expect_frame(self) -> None:
        await asyncio.sleep(FIRST_FRAME_SECONDS)
        if self._first is None:
            self._fail(errors.NO_MEDIA)

    def _fail(self, code: str) -> None:
        if not self._error:
            self._error = code
            self._load.failed(code)

    async def _negotiate(self) -> None:
        try:
            while True:
                await self._handle(await self._inbox.get())
        # aiortc's parser raises exceptions of many types for a description that it does not accept.
        except Exception as error:
            self._fail(f"negotiation: {type(error).__name__}")

    async def _handle(self, message: Message) -> None:
        match message["type"]:
            case "config":
                self._config = read(message, Config)
            case "offer":
                await self._answer(message["sdp"])
            case "iceCandidate" if self._connection is not None:
                with suppress(BadMessageError):
                    candidate = remote_candidate(read(message, IceCandidate).candidate)
                    if candidate is not None:
                        await self._connection.addIceCandidate(candidate)

    async def _answer(self, offer: str) -> None:
        connection = self._connection = Connection(rtc_configuration(self._config, use_servers=True))
        connection.on("track", self._track)
        self._expected = offer.count("\nm=video ") + offer.count("\nm=audio ")
        await connection.setRemoteDescription(RTCSessionDescription(sdp.for_trickling(offer), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        answer = connection.localDescription.sdp
        self._send({"type": "answer", "sdp": sdp.without_candidates(answer)})
        for found in sdp.local_candidates(answer, ()):
            candidate = {"candidate": found.candidate, "sdpMid": found.mid, "sdpMLineIndex": found.line_index}
            self._send({"type": "iceCandidate", "candidate": candidate})

    def _track(self, track: MediaStreamTrack) -> None:
        self._spawn(self._consume(track))

    async def _consume(self, track: MediaStreamTrack) -> None:
        """Receive all frames of a track: without a reader aiortc would keep them."""
        with suppress(MediaStreamError):
            while True:
                await track.recv()
                if track.kind == "video":
                    self._frame()

    def _frame(self) -> None:
        self._frames += 1
        if self._first is None:
            self._since = self._load.now
            self._first = self._since - self._begun
            self._load.time(Span.FIRST_FRAME, self._begun)

    async def _row(self) -> MediaPlayer:
        packets = lost = received = tracks = 0
        jitter = 0.0
        for receiver in self._connection.getReceivers() if self._connection is not None else ():
            for stats in (await receiver.getStats()).values():
                if stats.type == "inbound-rtp":
                    tracks += stats.packetsReceived > 0
                    packets, lost = packets + stats.packetsReceived, lost + max(0, stats.packetsLost)
                    if stats.kind == "video":
                        jitter = stats.jitter / VIDEO_CLOCK
                elif stats.type == "transport":
                    received = stats.bytesReceived  # the same transport for all tracks
        seconds = max(1e-3, self._load.now - self._since) if self._first is not None else float("inf")
        return MediaPlayer(
            name=f"media {len(self._load.media) + 1}",
            tracks=tracks,
            expected_tracks=self._expected,
            packets=packets,
            lost_packets=lost,
            bits_per_second=8 * received / seconds,
            frames_per_second=self._frames / seconds,
            jitter_seconds=jitter,
            first_frame_seconds=self._first,
            error=self._error,
        )


VIDEO_CLOCK: Final = 90_000
"""RTP time stamps of video per second."""
