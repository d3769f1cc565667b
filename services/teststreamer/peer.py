"""One player's WebRTC connection: negotiation, video, sound, data channel, and shutdown."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Literal

import structlog
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceCandidate,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from pixelfleet.protocol.messages import BadMessageError, IceCandidate, Message, Sdp
from teststreamer import feedback, sdp
from teststreamer.connection import Connection
from teststreamer.datachannel import Conversation
from teststreamer.dialect import read, remote_candidate
from teststreamer.preferences import opus, video_codecs
from teststreamer.received import Received
from teststreamer.settings import Settings
from teststreamer.sound import Sound
from teststreamer.video import Feed

LABEL: Final = "cirrus"
"""The data channel's label; pages accept any label."""

MAX_INBOX: Final = 256
"""The number of messages that may wait during the negotiation; more are dropped."""

MAX_CANDIDATES: Final = 64
"""The number of accepted candidates; each costs a check every 20 ms from each local address."""

MAX_BUFFERED_BYTES: Final = 1024 * 1024
"""The data that may wait for a player that does not read its data channel; with more it is disconnected."""

STEP_SECONDS: Final = 0.5
"""The time in which the negotiation may finish its present step when the connection ends."""

CLOSE_SECONDS: Final = 1.0
"""The timeout for closing, which needs no response from the player."""

log = structlog.get_logger(__name__)

Send = Callable[[Message], Awaitable[None]]


class Peer:
    """A player from `playerConnected` to the end of its connection. `run` serves it until `end` is called."""

    def __init__(
        self,
        player_id: str,
        *,
        settings: Settings,
        configuration: RTCConfiguration,
        feed: Feed,
        sound: Sound | None,
        conversation: Conversation,
        send: Send,
        on_keyframe_request: Callable[[], None],
        on_estimate: Callable[[int], None],
        offers: bool,
        data_channel: bool = True,
    ) -> None:
        """Create the connection. With `offers` the streamer sends the offer, otherwise the player does.

        The two callbacks receive the browser's feedback on the video; see `feedback.watch`.
        """
        self.player_id = player_id
        self.feed = feed
        self.sound = sound
        self.conversation = conversation
        self.offers = offers
        self._settings = settings
        self._send = send
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self._offered = self._offer_taken = False
        self._candidates = 0
        self._described = False
        self._early: list[RTCIceCandidate] = []
        """Candidates that arrived before the remote description."""
        self._ended = asyncio.Event()
        self._reason: str | None = None
        self._channel: RTCDataChannel | None = None
        self._received_media = Received(conversation.counts)
        self._connection = Connection(configuration)
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("datachannel", self._accept_channel)
        self._connection.on("track", self._received_media.add)
        self._transceiver: RTCRtpTransceiver
        self._on_keyframe_request, self._on_estimate = on_keyframe_request, on_estimate
        if offers:
            # The video is first: its section has the candidates, and all media are bundled on it.
            self._add_tracks(("video", "audio"))
        if offers and data_channel:
            self._channel = self._connection.createDataChannel(LABEL)
            self._channel.on("open", self._send_greeting)
            self._channel.on("message", self._received)

    @property
    def connected(self) -> bool:
        """Whether media can flow."""
        return self._connection.connectionState == "connected"

    @property
    def awaits_answer(self) -> bool:
        """Whether the streamer's offer was sent and is not answered yet."""
        return self._offered and not self._described

    @property
    def can_answer(self) -> bool:
        """Whether the connection can accept an offer: it has neither sent nor accepted one."""
        return not self.offers and not self._offer_taken

    def deliver(self, message: Message) -> None:
        """Queue an `offer`, `answer` or `iceCandidate` of the player."""
        if self._inbox.qsize() >= MAX_INBOX:
            log.warning("too many signalling messages", player=self.player_id)
            return
        self._offer_taken |= message["type"] == "offer"
        self._inbox.put_nowait(message)

    def end(self, reason: str | None = None) -> None:
        """End the connection; the reason is for the player, and None when the player or server ended it."""
        if not self._ended.is_set():
            self._reason = reason
            self._ended.set()
            self._inbox.put_nowait(None)

    async def run(self) -> str | None:
        """Serve the player until `end` is called; return the reason."""
        try:
            async with asyncio.TaskGroup() as tasks:
                negotiation = tasks.create_task(self._negotiate())
                deadline = tasks.create_task(self._expect_connection())
                await self._ended.wait()
                # aioice leaks sockets when it is cancelled while it opens them, so it may finish its step.
                await asyncio.wait({negotiation}, timeout=STEP_SECONDS)
                negotiation.cancel()
                deadline.cancel()
        finally:
            await self._close()
        return self._reason

    async def _close(self) -> None:
        self.feed.stop()
        self._received_media.stop()
        if self.sound is not None:
            self.sound.stop()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._connection.close()
        except TimeoutError:
            log.warning("closing timed out", player=self.player_id)

    async def _expect_connection(self) -> None:
        """End the connection when it is not established in time: browsers do not report that they gave up."""
        await asyncio.sleep(self._settings.connect_seconds)
        if not self.connected:
            self.end("no network path for the video was found")

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        log.debug("connection state changed", player=self.player_id, state=state)
        if state == "failed":
            self.end("the video's network path broke")
        elif state == "closed":
            # The player closed the connection, as pages do before they subscribe to another streamer.
            self.end()

    async def _negotiate(self) -> None:
        """Send the offer, if the streamer offers, and handle the player's messages in order."""
        try:
            if self.offers:
                await self._offer()
            while (message := await self._inbox.get()) is not None:
                try:
                    await self._handle(message)
                except BadMessageError as error:
                    log.warning("message of a player ignored", player=self.player_id, reason=str(error))
        # aiortc has no error class for invalid descriptions: its parser raises exceptions of many types. They must end
        # this player's connection only.
        except Exception as error:
            log.warning("negotiation failed", player=self.player_id, error=type(error).__name__)
            log.debug("negotiation failed", player=self.player_id, reason=str(error))
            self.end("the offer or answer could not be used")

    def _add_tracks(self, kinds: Iterable[str]) -> None:
        """Add the video and the sound, if there is any, in this order."""
        for kind in kinds:
            if kind == "video":
                self._transceiver = self._connection.addTransceiver(self.feed, direction="sendrecv")
                self._transceiver.setCodecPreferences(video_codecs(self._settings.codec))
                feedback.watch(self._transceiver.sender, self._on_keyframe_request, self._on_estimate)
            elif kind == "audio" and self.sound is not None:
                self._connection.addTransceiver(self.sound, direction="sendrecv").setCodecPreferences(opus())

    async def _offer(self) -> None:
        """Send the offer at once, and the local candidates after they are gathered."""
        offer = await self._connection.createOffer()
        if self._ended.is_set():
            return
        self._offered = True
        await self._send({"type": "offer", "playerId": self.player_id, "sdp": sdp.without_candidates(offer.sdp)})
        # Gathers candidates, which takes seconds if a STUN or TURN server does not respond.
        await self._connection.setLocalDescription(offer)
        await self._send_candidates()

    async def _send_candidates(self) -> None:
        addresses = {str(address) for address in self._settings.ice_address}
        if self._ended.is_set():
            return
        for found in sdp.local_candidates(self._connection.localDescription.sdp, addresses):
            candidate = {"candidate": found.candidate, "sdpMid": found.mid, "sdpMLineIndex": found.line_index}
            await self._send({"type": "iceCandidate", "playerId": self.player_id, "candidate": candidate})

    async def _handle(self, message: Message) -> None:
        """Handle one message; raise BadMessageError when it is invalid in the present state."""
        match message["type"]:
            case "answer":
                if self._connection.signalingState != "have-local-offer":
                    raise BadMessageError("an answer without an offer")
                text = read(message, Sdp).sdp
                # The offer has the streamer's order of codecs. The order of the player's answer takes precedence.
                self._transceiver.setCodecPreferences([])
                await self._set_remote(text, "answer")
                self._choose_codec(text)
            case "offer":
                text = read(message, Sdp).sdp
                # aiortc gathers no candidates when its tracks have another order than the sections of the offer.
                self._add_tracks(sdp.media_kinds(text))
                await self._set_remote(text, "offer")
                await self._connection.setLocalDescription(await self._connection.createAnswer())
                answer = self._connection.localDescription.sdp
                self._choose_codec(answer)
                text = sdp.without_candidates(answer)
                await self._send({"type": "answer", "playerId": self.player_id, "sdp": text})
                await self._send_candidates()
            case "iceCandidate":
                await self._add_candidate(message)

    async def _set_remote(self, text: str, kind: Literal["offer", "answer"]) -> None:
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp.for_trickling(text), kind))
        self._described = True
        for candidate in self._early:
            await self._connection.addIceCandidate(candidate)
        self._early.clear()

    def _choose_codec(self, answer: str) -> None:
        """Set the feed's codec to the negotiated one. The video starts only after this."""
        codec = sdp.negotiated_codec(answer)
        if codec is None:
            raise BadMessageError("an answer with neither H.264 nor VP8")
        self.feed.codec = codec
        log.info("player negotiated", player=self.player_id, codec=codec)

    async def _add_candidate(self, message: Message) -> None:
        self._candidates += 1
        if self._candidates > MAX_CANDIDATES:
            raise BadMessageError("too many candidates")
        candidate = remote_candidate(read(message, IceCandidate).candidate)
        if candidate is None:
            return
        if self._described:
            await self._connection.addIceCandidate(candidate)
        else:
            self._early.append(candidate)

    def _accept_channel(self, channel: RTCDataChannel) -> None:
        """Use the data channel that an offering player created, unless there is one."""
        if self._channel is not None:
            return
        self._channel = channel
        channel.on("message", self._received)
        self._send_greeting()

    def _send_greeting(self) -> None:
        self.send(*self.conversation.greeting())

    def _received(self, data: bytes | str) -> None:
        if not self._ended.is_set():
            self.send(*self.conversation.receive(data))

    def send(self, *messages: bytes) -> None:
        """Send messages on the data channel, if it is open."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        for data in messages:
            channel.send(data)
        if channel.bufferedAmount > MAX_BUFFERED_BYTES:
            self.end("the data channel was not read")
