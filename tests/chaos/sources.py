"""Streamers without media, which send numbered messages to their players all the time."""

import asyncio
from contextlib import suppress

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from pixelfleet.service.lifecycle import background
from tests.chaos.checks import Capacity, Order
from tests.chaos.pages import ANSWER_SECONDS, BEAT_SECONDS, DIAL_SECONDS, MESSAGE_SECONDS, REDIAL_SECONDS
from tests.integration.peers import SDP, Message, Peer


class Source:
    """A streamer that makes an offer to each player, numbers messages to it, and connects again when it is lost."""

    def __init__(self, name: str, url: str, capacity: Capacity, from_players: Order) -> None:
        self.name = name
        self._url = url
        self._capacity = capacity
        self._order = from_players
        self._sent: dict[str, int] = {}
        """The number of messages to each present player, by its id."""
        self._streams: dict[str, str] = {}
        """The negotiation of each player that has sent a numbered message."""
        self.quiet = False

    async def run(self) -> None:
        """Be connected, until cancelled."""
        while True:
            with suppress(OSError, WebSocketException, TimeoutError, EOFError):
                await self._connection()
            self._capacity.lost(self.name)
            self._sent.clear()
            self._streams.clear()
            await asyncio.sleep(REDIAL_SECONDS)

    async def _connection(self) -> None:
        async with connect(
            self._url,
            compression=None,
            proxy=None,
            open_timeout=DIAL_SECONDS,
            ping_interval=BEAT_SECONDS,
            ping_timeout=ANSWER_SECONDS,
            close_timeout=0,
        ) as socket:
            peer = Peer(socket)
            async with asyncio.timeout(DIAL_SECONDS):
                await peer.receive("identify")
                await peer.send("endpointId", id=self.name, protocolVersion="1.3.0")
                await peer.receive("endpointIdConfirm")
            async with background(self._send_numbers(peer)):
                await self._serve(peer)

    async def _serve(self, peer: Peer) -> None:
        async for text in peer.socket:
            message: Message = orjson.loads(text)
            match message["type"]:
                case "playerConnected":
                    player = message["playerId"]
                    self._capacity.joined(self.name, player)
                    await peer.send("offer", sdp=SDP, playerId=player)
                case "playerDisconnected":
                    player = message["playerId"]
                    self._capacity.left(self.name, player)
                    self._sent.pop(player, None)
                    self._streams.pop(player, None)
                case "answer":
                    self._sent[message["playerId"]] = 0
                case "iceCandidate":
                    stream, _, number = message["candidate"]["candidate"].rpartition(":")
                    self._streams[message["playerId"]] = stream
                    self._order.took(stream, int(number))

    async def _send_numbers(self, peer: Peer) -> None:
        while True:
            await asyncio.sleep(MESSAGE_SECONDS)
            for player, number in list(self._sent.items()) if not self.quiet else ():
                if self._sent.get(player) != number:
                    continue
                self._sent[player] = number + 1
                candidate = {"candidate": f"{self.name}:{number}", "sdpMid": "0", "sdpMLineIndex": 0}
                with suppress(ConnectionClosed):
                    await peer.send("iceCandidate", candidate=candidate, playerId=player)

    def totals(self) -> dict[str, int]:
        """Return the number of messages to each present player, by its negotiation."""
        return {stream: self._sent[player] for player, stream in self._streams.items() if player in self._sent}
