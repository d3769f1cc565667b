"""Runs a matchmaker on free ports, with a client, and legacy servers that report to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from yarl import URL

import matchmaker.app
from matchmaker.settings import Settings
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.store import FleetStore
from tests.integration.peers import SDP, Message
from tests.parts import eventually

TOKEN = "t0ken-of-the-operator"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
KEY = "k" * 32


@dataclass
class RunningMatchmaker:
    """A running matchmaker, its store, and an HTTP client."""

    server: matchmaker.app.Matchmaker
    store: FleetStore
    http: aiohttp.ClientSession

    @property
    def player_url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Return the status and the JSON of a request with the operator's token, unless other headers are given."""
        options.setdefault("headers", BEARER)
        async with self.http.request(method, URL(self.rest_url + path, encoded=True), **options) as answer:
            return answer.status, await answer.json()

    async def streamers(self) -> dict[str, Any]:
        """Return the reports of all streamers in the store, by key."""
        return {view.report.key: view.report for view in (await self.store.snapshot()).streamers}

    async def report(self, number: int, **fields: Any) -> StreamerReport:
        """Report a streamer that cannot be dialled; it remains in the store as long as the matchmaker runs."""
        values = {"app": "default", "url": f"ws://127.0.0.1:{number}", **fields}
        report = StreamerReport(server_id=f"s{number:05}", endpoint_id="cam", **values)
        owner = self.server.broker.replica_id
        await self.store.report(ServerReport(server_id=report.server_id, sequence=1, streamers=(report,), owner=owner))
        return report

    async def sessions(self) -> int:
        """Return the number of sessions in the store, including waiting ones."""
        snapshot = await self.store.snapshot()
        return len(snapshot.leases) + len(snapshot.queue)

    async def has_sessions(self, count: int) -> bool:
        return await self.sessions() == count


@asynccontextmanager
async def running_matchmaker(store: FleetStore | None = None, **chosen: Any) -> AsyncIterator[RunningMatchmaker]:
    """Run a matchmaker with these settings."""
    fleet = store or MemoryFleetStore()
    values = {"port": 0, "metrics_port": 0, "legacy_port": 0, "rest_token": TOKEN, "session_key": KEY, **chosen}
    settings = Settings(host="127.0.0.1", **values)
    async with matchmaker.app.running(settings, fleet) as server, aiohttp.ClientSession() as http:
        yield RunningMatchmaker(server, fleet, http)


@dataclass
class LegacyServer:
    """A legacy server: players over websockets, and a TCP link to a matchmaker."""

    port: int = 0
    secure: bool = False
    refuses: bool = False
    """Whether it closes players with 1013, as a server without a streamer does."""
    received: list[Message] = field(default_factory=list)
    players: int = 0
    link: asyncio.StreamWriter | None = None

    async def serve(self, socket: ServerConnection) -> None:
        if self.refuses:
            await socket.close(1013, "Streamer is not connected")
            return
        self.players += 1
        self.send("clientConnected")
        await socket.send(orjson.dumps({"type": "config", "peerConnectionOptions": {}}).decode())
        try:
            async for data in socket:
                await self.take(socket, orjson.loads(data))
        except ConnectionClosed:
            pass
        finally:
            self.players -= 1
            self.send("clientDisconnected")

    async def take(self, socket: ServerConnection, message: Message) -> None:
        self.received.append(message)
        if message["type"] == "offer":
            await socket.send(orjson.dumps({"type": "answer", "sdp": SDP}).decode())
        elif message["type"] not in ("answer", "iceCandidate", "pong"):
            await socket.close(1008, "Unsupported message type")  # also for a ping, as 5.0 to 5.4 do

    def send(self, kind: str, **fields: object) -> None:
        if self.link is not None:
            self.link.write(orjson.dumps({"type": kind, **fields}))

    async def connect(self, port: int, **fields: object) -> None:
        """Open the link and send `connect`."""
        _, self.link = await asyncio.open_connection("127.0.0.1", port)
        fields_of_connect = {
            "address": "127.0.0.1",
            "port": self.port,
            "ready": True,
            "playerConnected": self.players > 0,
        }
        self.send("connect", **{**fields_of_connect, "https": self.secure, **fields})

    def cut(self) -> None:
        """Abort the link."""
        if self.link is not None:
            self.link.transport.abort()
            self.link = None


@asynccontextmanager
async def running_legacy_server(
    running: RunningMatchmaker | None = None, *, tls: ssl.SSLContext | None = None, refuses: bool = False
) -> AsyncIterator[LegacyServer]:
    """Run a legacy server; with a matchmaker, it is registered there when this yields."""
    legacy = LegacyServer(secure=tls is not None, refuses=refuses)
    async with serve(legacy.serve, "127.0.0.1", 0, ssl=tls, compression=None) as server:
        legacy.port = next(iter(server.sockets)).getsockname()[1]
        if running is not None:
            assert running.server.link_port is not None
            await legacy.connect(running.server.link_port)
            await known(running, legacy)
        try:
            yield legacy
        finally:
            legacy.cut()


async def known(running: RunningMatchmaker, legacy: LegacyServer, *, ready: bool = True) -> None:
    """Wait until the store has a legacy server with this readiness."""

    async def matches_state() -> bool:
        report = (await running.streamers()).get(f"127.0.0.1:{legacy.port}/stock")
        return report is not None and report.ready is ready

    await eventually(matches_state, f"the legacy server is {'' if ready else 'not '}ready")
