"""Two relays without features, the floors of our signalling server: parse, stamp, send.

They have no validation, metrics, logs or authentication. They do what any signalling server of the 5.5 dialect must do
for a message, in the way that each library's documentation suggests.

    python -m benchmarks.bare_relay aiohttp|picows

They listen on two free ports of 127.0.0.1 and print them as one line of JSON: `{"players": ..., "streamers": ...}`.
"""

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson
import uvloop
from aiohttp import WSMsgType as HttpMsgType
from aiohttp import web
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

HOST: Final = "127.0.0.1"
RELAYED: Final = frozenset({"offer", "answer", "iceCandidate"})
CONFIG: Final = {"type": "config", "peerConnectionOptions": {}, "protocolVersion": "1.3.0"}
IDENTIFY: Final = {"type": "identify"}

S = TypeVar("S")
"""A library's socket."""

D = TypeVar("D", str, bytes)
"""The type of data that the library delivers and accepts for a text message."""


@dataclass(slots=True, eq=False)
class Peer(Generic[S]):
    """A player or a streamer."""

    socket: S
    player_id: str = ""
    streamer: "Peer[S] | None" = None


class Relay(Generic[S, D]):
    """The connected peers. Each method returns the receiver and its data, or None."""

    def __init__(self, dump: Callable[[dict[str, Any]], D]) -> None:
        self._dump: Callable[[dict[str, Any]], D] = dump
        self._streamers: dict[str, Peer[S]] = {}
        self._players: dict[str, Peer[S]] = {}
        self._ids = 100
        self.config: D = dump(CONFIG)
        self.identify: D = dump(IDENTIFY)

    def player(self, socket: S) -> Peer[S]:
        """Add a player."""
        self._ids += 1
        peer = Peer(socket, str(self._ids))
        self._players[peer.player_id] = peer
        return peer

    def from_streamer(self, peer: Peer[S], data: D) -> tuple[S, D] | None:
        """Forward a streamer's message unchanged."""
        message = orjson.loads(data)
        kind = message["type"]
        if kind in RELAYED:
            player = self._players.get(message["playerId"])
            return None if player is None else (player.socket, data)
        if kind == "endpointId":
            self._streamers[message["id"]] = peer
            return peer.socket, self._dump({"type": "endpointIdConfirm", "committedId": message["id"]})
        return None

    def from_player(self, peer: Peer[S], data: D) -> tuple[S, D] | None:
        """Add the player's id to its message and forward it."""
        message = orjson.loads(data)
        kind = message["type"]
        if kind in RELAYED and peer.streamer is not None:
            message["playerId"] = peer.player_id
            return peer.streamer.socket, self._dump(message)
        if kind == "subscribe":
            peer.streamer = streamer = self._streamers[message["streamerId"]]
            return streamer.socket, self._dump(
                {"type": "playerConnected", "playerId": peer.player_id, "dataChannel": True, "sfu": False}
            )
        return None


async def serve_aiohttp() -> None:
    """Relay with aiohttp's server."""
    relay: Relay[web.WebSocketResponse, str] = Relay(lambda message: orjson.dumps(message).decode())

    async def opened(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str(relay.config)
        return socket

    async def player(request: web.Request) -> web.WebSocketResponse:
        socket = await opened(request)
        peer = relay.player(socket)
        async for message in socket:
            if message.type is HttpMsgType.TEXT and (sent := relay.from_player(peer, message.data)) is not None:
                await sent[0].send_str(sent[1])
        return socket

    async def streamer(request: web.Request) -> web.WebSocketResponse:
        socket = await opened(request)
        await socket.send_str(relay.identify)
        peer = Peer(socket)
        async for message in socket:
            if message.type is HttpMsgType.TEXT and (sent := relay.from_streamer(peer, message.data)) is not None:
                await sent[0].send_str(sent[1])
        return socket

    ports = []
    for handler in (player, streamer):
        app = web.Application()
        app.router.add_get("/", handler)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        ports.append(runner.addresses[0][1])
    announce(*ports)
    await asyncio.Event().wait()


class PicowsClient(WSListener):
    """A connection: `receive` handles a message and returns the connection and text to send, if any."""

    receive: Callable[[Peer[WSTransport], bytes], tuple[WSTransport, bytes] | None]
    peer: Peer[WSTransport]

    def __init__(self, relay: Relay[WSTransport, bytes]) -> None:
        self.relay = relay

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            sent = self.receive(self.peer, frame.get_payload_as_bytes())
            if sent is not None:
                sent[0].send(WSMsgType.TEXT, sent[1])
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()


class PicowsPlayer(PicowsClient):
    """A player's connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, self.relay.config)
        self.peer, self.receive = self.relay.player(transport), self.relay.from_player


class PicowsStreamer(PicowsClient):
    """A streamer's connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, self.relay.config)
        transport.send(WSMsgType.TEXT, self.relay.identify)
        self.peer, self.receive = Peer(transport), self.relay.from_streamer


async def serve_picows() -> None:
    """Relay with picows' server."""
    relay: Relay[WSTransport, bytes] = Relay(orjson.dumps)

    def player(_: WSUpgradeRequest) -> WSListener:
        return PicowsPlayer(relay)

    def streamer(_: WSUpgradeRequest) -> WSListener:
        return PicowsStreamer(relay)

    servers = [await ws_create_server(factory, HOST, 0) for factory in (player, streamer)]
    announce(*(server.sockets[0].getsockname()[1] for server in servers))
    await asyncio.Event().wait()


def announce(players: int, streamers: int) -> None:
    """Print the ports."""
    print(orjson.dumps({"players": players, "streamers": streamers}).decode(), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="a relay without features")
    parser.add_argument("library", choices=["aiohttp", "picows"])
    uvloop.run(serve_aiohttp() if parser.parse_args().library == "aiohttp" else serve_picows())
