"""One player's WebRTC connection: its negotiation, its video, its data channel, and its end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal

import structlog
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceCandidate,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.codecs import is_rtx
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from pixelfleet.protocol.messages import BadMessageError, IceCandidate, Message, Sdp
from teststreamer import feedback, sdp
from teststreamer.datachannel import Conversation
from teststreamer.dialect import read, remote_candidate
from teststreamer.encoder import CODECS, Codec
from teststreamer.settings import Settings
from teststreamer.video import Feed

LABEL: Final = "cirrus"
"""The data channel's name; pages take the channel whatever it is called."""

MAX_INBOX: Final = 256
"""Messages that may wait while the connection is set up; more are dropped."""

MAX_CANDIDATES: Final = 64
"""Candidates that a player may send; each costs a check every 20 ms from each of our addresses."""

MAX_BUFFERED_BYTES: Final = 1024 * 1024
"""What may wait on the data channel for a player that does not read; beyond it the player is let go."""

STEP_SECONDS: Final = 0.5
"""How long a step of the negotiation may still take once the player is let go."""

CLOSE_SECONDS: Final = 1.0
"""How long closing may take; it needs no answer from the player, so this is never reached in good health."""

log = structlog.get_logger(__name__)

Send = Callable[[Message], Awaitable[None]]


class Peer:
    """A player, from `playerConnected` until either side has had enough. `run` does everything; `end` ends it."""

    def __init__(
        self,
        player_id: str,
        *,
        settings: Settings,
        configuration: RTCConfiguration,
        feed: Feed,
        conversation: Conversation,
        send: Send,
        offers: bool,
        data_channel: bool = True,
    ) -> None:
        """Make the connection; `offers` says whether we send the offer, else the player's is waited for."""
        self.player_id = player_id
        self.feed = feed
        self.conversation = conversation
        self.offers = offers
        self._settings = settings
        self._send = send
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self._offered = self._offer_taken = False
        self._candidates = 0
        self._described = False
        self._early: list[RTCIceCandidate] = []
        """Candidates that came before the description that they belong to."""
        self._ended = asyncio.Event()
        self._reason: str | None = None
        self._channel: RTCDataChannel | None = None
        self._connection = RTCPeerConnection(configuration)
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("datachannel", self._adopt)
        self._transceiver = self._connection.addTransceiver(feed, direction="sendonly")
        self._transceiver.setCodecPreferences(_in_order(settings.codec))
        if offers and data_channel:
            self._channel = self._connection.createDataChannel(LABEL)
            self._channel.on("open", self._greet)
            self._channel.on("message", self._said)

    def listen(self, *, keyframe: Callable[[], None], estimate: Callable[[int], None]) -> None:
        """Hear what the player's browser reports about the video; see `feedback.watch`."""
        feedback.watch(self._transceiver.sender, keyframe, estimate)

    @property
    def connected(self) -> bool:
        """Whether media can flow."""
        return self._connection.connectionState == "connected"

    @property
    def awaits_answer(self) -> bool:
        """Whether our offer is out, and not answered yet."""
        return self._offered and not self._described

    @property
    def can_answer(self) -> bool:
        """Whether the connection can take an offer: it is not for one of ours, and took none before."""
        return not self.offers and not self._offer_taken

    def deliver(self, message: Message) -> None:
        """Take an `offer`, `answer` or `iceCandidate` of the player, in the order in which they came."""
        if self._inbox.qsize() >= MAX_INBOX:
            log.warning("too many signalling messages of a player", player=self.player_id)
            return
        self._offer_taken |= message["type"] == "offer"
        self._inbox.put_nowait(message)

    def end(self, reason: str | None = None) -> None:
        """Let the player go; the reason is for a player that does not know of it yet."""
        if not self._ended.is_set():
            self._reason = reason
            self._ended.set()
            self._inbox.put_nowait(None)

    async def run(self) -> str | None:
        """Serve the player until it is let go; return the reason that `end` was given."""
        try:
            async with asyncio.TaskGroup() as tasks:
                negotiation = tasks.create_task(self._negotiate())
                deadline = tasks.create_task(self._expect_connection())
                await self._ended.wait()
                # aioice forgets sockets when it is cancelled while it opens them, so it may finish its step.
                await asyncio.wait({negotiation}, timeout=STEP_SECONDS)
                negotiation.cancel()
                deadline.cancel()
        finally:
            await self._close()
        return self._reason

    async def _close(self) -> None:
        self.feed.stop()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._connection.close()
        except TimeoutError:
            log.warning("a connection did not close in time", player=self.player_id)

    async def _expect_connection(self) -> None:
        """Let the player go when its media does not flow in time: browsers do not say when they give up."""
        await asyncio.sleep(self._settings.connect_seconds)
        if not self.connected:
            self.end("no network path for the video was found")

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        log.debug("player connection", player=self.player_id, state=state)
        if state == "failed":
            self.end("the video's network path broke")
        elif state == "closed":
            # The player hung up, as pages do before they turn to another streamer. It knows.
            self.end()

    async def _negotiate(self) -> None:
        """Offer, and take what the player says, one after the other."""
        try:
            if self.offers:
                await self._offer()
            while (message := await self._inbox.get()) is not None:
                try:
                    await self._take(message)
                except BadMessageError as error:
                    log.warning("message of a player ignored", player=self.player_id, reason=str(error))
        # aiortc has no error of its own for descriptions that it cannot read or use: it raises whatever its parser
        # trips over. Whatever that is, it is this player's alone.
        except Exception as error:
            log.warning("negotiation failed", player=self.player_id, error=type(error).__name__)
            log.debug("negotiation failed", player=self.player_id, reason=str(error))
            self.end("the offer or answer could not be used")

    async def _offer(self) -> None:
        """Send the offer at once, and our candidates as soon as they are known."""
        offer = await self._connection.createOffer()
        if self._ended.is_set():
            return
        self._offered = True
        await self._send({"type": "offer", "playerId": self.player_id, "sdp": sdp.without_candidates(offer.sdp)})
        # Looks for candidates, which takes seconds where a STUN or TURN server does not answer.
        await self._connection.setLocalDescription(offer)
        await self._send_candidates()

    async def _send_candidates(self) -> None:
        addresses = {str(address) for address in self._settings.ice_address}
        if self._ended.is_set():
            return
        for found in sdp.local_candidates(self._connection.localDescription.sdp, addresses):
            candidate = {"candidate": found.candidate, "sdpMid": found.mid, "sdpMLineIndex": found.line_index}
            await self._send({"type": "iceCandidate", "playerId": self.player_id, "candidate": candidate})

    async def _take(self, message: Message) -> None:
        """Act on one message; raise BadMessageError when it is none that makes sense now."""
        match message["type"]:
            case "answer":
                if self._connection.signalingState != "have-local-offer":
                    raise BadMessageError("an answer to nothing")
                text = read(message, Sdp).sdp
                # The offer was in our order of preference; the answer is in the player's, and the player's counts.
                self._transceiver.setCodecPreferences([])
                await self._describe(text, "answer")
                self._agree(text)
            case "offer":
                await self._describe(read(message, Sdp).sdp, "offer")
                await self._connection.setLocalDescription(await self._connection.createAnswer())
                answer = self._connection.localDescription.sdp
                self._agree(answer)
                text = sdp.without_candidates(answer)
                await self._send({"type": "answer", "playerId": self.player_id, "sdp": text})
                await self._send_candidates()
            case "iceCandidate":
                await self._add(message)

    async def _describe(self, text: str, kind: Literal["offer", "answer"]) -> None:
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp.for_trickling(text), kind))
        self._described = True
        for candidate in self._early:
            await self._connection.addIceCandidate(candidate)
        self._early.clear()

    def _agree(self, answer: str) -> None:
        """Choose the codec that offer and answer settled on. The video starts only after this."""
        codec = sdp.negotiated_codec(answer)
        if codec is None:
            raise BadMessageError("an answer with neither H.264 nor VP8")
        self.feed.codec = codec
        log.info("player negotiated", player=self.player_id, codec=codec)

    async def _add(self, message: Message) -> None:
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

    def _adopt(self, channel: RTCDataChannel) -> None:
        """Take the data channel that a player which offers has made."""
        if self._channel is not None:
            return
        self._channel = channel
        channel.on("message", self._said)
        self._greet()

    def _greet(self) -> None:
        self.say(*self.conversation.greeting())

    def _said(self, data: bytes | str) -> None:
        self.say(*self.conversation.receive(data))

    def say(self, *messages: bytes) -> None:
        """Send messages on the data channel, if it is open."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        for data in messages:
            channel.send(data)
        if channel.bufferedAmount > MAX_BUFFERED_BYTES:
            self.end("the data channel was not read")


def _in_order(first: Codec) -> list[RTCRtpCodecCapability]:
    """Return aiortc's video codecs with the preferred one in front, and what both need for lost packets."""
    order = [first, *(codec for codec in CODECS if codec != first)]
    offered = RTCRtpSender.getCapabilities("video").codecs
    video = [codec for codec in offered if not is_rtx(codec)]
    video.sort(key=lambda codec: order.index(_codec(codec)))
    return [*video, *(codec for codec in offered if is_rtx(codec))]


def _codec(capability: RTCRtpCodecCapability) -> Codec:
    return "h264" if capability.mimeType.lower() == "video/h264" else "vp8"
