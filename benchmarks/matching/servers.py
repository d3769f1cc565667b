"""Simulated signalling servers that count their players: now, and at most.

All of them are one websocket listener; each has a loopback address of its own. A legacy one reports over the TCP link.
A native one is a client of the real fleet store, reports its sessions and refuses a player when its slot is occupied.
"""

import asyncio
import hmac
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, WSUpgradeResponse, ws_create_server
from picows import WSUpgradeResponseWithListener as Refusal

from pixelfleet.fleet.bounds import HEARTBEAT_SECONDS
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError

CONFIG: Final = orjson.dumps({"type": "config", "peerConnectionOptions": {}})
RELINK_SECONDS: Final = 1.0


def address(number: int) -> str:
    """Return the loopback address of a server."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


@dataclass(slots=True, eq=False)
class Server:
    """A simulated server with one streamer."""

    host: str
    players: int = 0
    most: int = 0
    served: int = 0
    refused: int = 0
    sessions: dict[str, None] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    sequence: int = 0
    writer: asyncio.StreamWriter | None = None
    links_lost: int = 0
    """How often the matchmaker closed its link."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def double_booked(self) -> bool:
        """Whether it ever had more than one player at once."""
        return self.most > 1

    def send(self, kind: str) -> None:
        """Send one message of a legacy server."""
        if self.writer is not None:
            self.writer.write(orjson.dumps({"type": kind}))


class _Socket(WSListener):
    """A player's connection to a server."""

    def __init__(self, server: Server, session: str) -> None:
        self._server = server
        self._session = session

    def on_ws_connected(self, transport: WSTransport) -> None:
        server = self._server
        server.players += 1
        server.served += 1
        server.most = max(server.most, server.players)
        server.send("clientConnected")
        server.changed.set()
        transport.send(WSMsgType.TEXT, CONFIG)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()
        elif frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        server = self._server
        server.players -= 1
        if self._session:
            server.sessions.pop(self._session, None)
            server.ended.add(self._session)
        server.send("clientDisconnected")
        server.changed.set()


def session_of(ticket: bytes, key: bytes, host: str) -> str | None:
    """Return the session of a session token, or None when it is not valid here.

    The services' verification is several times slower, and the load shares the CPU with the measured processes.
    """
    signed, _, signature = ticket.rpartition(b".")
    if signature != urlsafe_b64encode(hmac.digest(key, signed, "sha256")).rstrip(b"="):
        return None
    claims = orjson.loads(urlsafe_b64decode(signed.partition(b".")[2] + b"=="))
    return str(claims["sub"]) if claims["aud"] == host else None


class Fleet:
    """A number of servers behind one listener."""

    def __init__(self, count: int, *, key: str | None = None) -> None:
        self.servers = [Server(address(number)) for number in range(count)]
        self._by_host = {server.host: server for server in self.servers}
        self._key = key.encode() if key is not None else None
        self.port = 0

    @property
    def double_booked(self) -> int:
        """The number of servers that ever had two players at once."""
        return sum(server.double_booked for server in self.servers)

    @property
    def links_lost(self) -> int:
        """The number of links that a matchmaker closed."""
        return sum(server.links_lost for server in self.servers)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Fleet"]:
        """Accept players."""
        listener = await ws_create_server(self._upgrade, "0.0.0.0", 0, backlog=4096)  # noqa: S104 - 127.0.0.0/8
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()

    def _upgrade(self, request: WSUpgradeRequest) -> WSListener | Refusal:
        # All servers share the port, so the dialled host identifies the server.
        server = self._by_host[request.headers["Host"].rpartition(":")[0]]
        if self._key is None:
            return _Socket(server, "")
        session = session_of(request.path.rpartition(b"session=")[2], self._key, server.host)
        if session is None:
            server.refused += 1
            return Refusal(WSUpgradeResponse.create_error_response(HTTPStatus.FORBIDDEN), None)
        if server.sessions:
            server.refused += 1
            return Refusal(WSUpgradeResponse.create_error_response(HTTPStatus.CONFLICT), None)
        server.sessions[session] = None
        return _Socket(server, session)

    # -- legacy servers -----------------------------------------------------------------------------

    @asynccontextmanager
    async def linked(self, matchmakers: list[tuple[str, int]]) -> AsyncIterator[None]:
        """Keep every server's link open, each to one of the matchmakers in turn."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._link(server, matchmakers, number)) for number, server in enumerate(self.servers)
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def _link(self, server: Server, matchmakers: list[tuple[str, int]], turn: int) -> None:
        while True:
            host, port = matchmakers[turn % len(matchmakers)]
            with suppress(OSError):
                await self._speak(server, host, port)
                server.links_lost += 1
            turn += 1
            await asyncio.sleep(RELINK_SECONDS)

    async def _speak(self, server: Server, host: str, port: int) -> None:
        """Keep one link open until it is lost."""
        reader, writer = await asyncio.open_connection(host, port, local_addr=(server.host, 0))
        hello = {"type": "connect", "address": server.host, "port": self.port, "ready": True}
        writer.write(orjson.dumps({**hello, "playerConnected": server.players > 0}))
        server.writer = writer
        try:
            while await reader.read(4096):
                pass
        finally:
            server.writer = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    # -- native servers -----------------------------------------------------------------------------

    @asynccontextmanager
    async def reporting(self, store: FleetStore, app: str = "default") -> AsyncIterator[None]:
        """Let every server report itself to the store, on each change and at its heartbeat."""
        async with AsyncExitStack() as stack:
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [group.create_task(self._report(server, store, app)) for server in self.servers]
            stack.callback(lambda: [task.cancel() for task in tasks])
            yield

    async def _report(self, server: Server, store: FleetStore, app: str) -> None:
        while True:
            server.changed.clear()
            try:
                await self.report_once(server, store, app)
            except StoreUnavailableError:
                await asyncio.sleep(RELINK_SECONDS / 4)
                continue
            try:
                # Spread the heartbeats, as real servers do not start in the same instant.
                async with asyncio.timeout(HEARTBEAT_SECONDS * random.uniform(0.8, 1.0)):
                    await server.changed.wait()
            except TimeoutError:
                continue

    async def report_once(self, server: Server, store: FleetStore, app: str = "default") -> None:
        """Report the state of one server; raise StoreUnavailableError."""
        server.sequence += 1
        ended = tuple(server.ended)
        streamer = StreamerReport(
            server_id=server.host,
            endpoint_id="cam",
            app=app,
            url=f"ws://{server.host}:{self.port}",
            sessions=tuple(server.sessions),
        )
        await store.report(
            ServerReport(server_id=server.host, sequence=server.sequence, streamers=(streamer,), ended=ended)
        )
        server.ended.difference_update(ended)
