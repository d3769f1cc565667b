"""The streamer port of a stand-in for a stock server: real streamers in place of the stand-in's own."""

import asyncio
from typing import Any, Final

import orjson
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.standins.cirrus import UNSUPPORTED, Cirrus

UNNAMED: Final = "DefaultStreamer"
"""The name of a streamer of 4.27, 5.0 and 5.1, which are not asked for one."""

ACCEPTS: Final = frozenset({"offer", "answer", "iceCandidate", "disconnectPlayer", "ping"})


class StreamerPort:
    """The streamers that are connected to a stand-in."""

    def __init__(self, cirrus: Cirrus) -> None:
        self._cirrus = cirrus
        self._sockets: dict[str, ServerConnection] = {}
        self.named = asyncio.Event()
        """Set once a streamer can be subscribed to."""
        cirrus.streamers = ()
        cirrus.streamer_port = self

    async def serve(self, socket: ServerConnection) -> None:
        """Serve one streamer."""
        lists, name = self._cirrus.generation.lists, "" if self._cirrus.generation.lists else UNNAMED
        if not lists and self._sockets:
            await socket.close(1008, "Only one streamer is supported")
            return
        try:
            await self._write(socket, type="config", peerConnectionOptions={})
            if lists:
                await self._write(socket, type="identify")
            else:
                self._add(name, socket)
            async for data in socket:
                message = orjson.loads(data)
                if lists and message["type"] == "endpointId":
                    name = message["id"]
                    self._add(name, socket)
                elif message["type"] in ACCEPTS:
                    await self._take(message)
                elif self._cirrus.generation.closes:
                    await socket.close(*UNSUPPORTED)
        except ConnectionClosed:
            pass
        finally:
            self._sockets.pop(name, None)
            self._cirrus.streamers = tuple(self._sockets)

    async def send(self, name: str, **message: Any) -> None:
        """Send a message to a streamer."""
        if name in self._sockets:
            await self._write(self._sockets[name], **message)

    def _add(self, name: str, socket: ServerConnection) -> None:
        self._sockets[name] = socket
        self._cirrus.streamers = tuple(self._sockets)
        self.named.set()

    async def _take(self, message: dict[str, Any]) -> None:
        """Pass a message on to its player, without the player's id."""
        player = self._cirrus.connected.get(str(message.pop("playerId", "")))
        if player is None:
            return
        if message["type"] == "disconnectPlayer":
            await player.socket.close(1011, message.get("reason", ""))
        else:
            player.negotiated = player.negotiated or message["type"] == "answer"
            await player.socket.send(orjson.dumps(message).decode())

    async def _write(self, socket: ServerConnection, **message: Any) -> None:
        await socket.send(orjson.dumps(message).decode())
