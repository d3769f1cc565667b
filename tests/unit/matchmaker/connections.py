"""Links of stock servers without a network."""

import asyncio
from typing import Any, cast

import orjson

from matchmaker.legacy.connection import LegacyConnection
from matchmaker.legacy.servers import LegacyServers
from matchmaker.metrics import Metrics
from matchmaker.settings import Settings
from pixelfleet.fleet.model import StreamerView
from tests.unit.matchmaker.fleet import Store

CONNECT = {"type": "connect", "address": "127.0.0.1", "port": 8080, "ready": True, "playerConnected": False}


class Transport:
    """The connection under a link."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.aborted = False

    def get_extra_info(self, name: str) -> Any:
        assert name == "peername"
        return (self.peer, 50000) if self.peer else None

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


class Line:
    """One server's end of a link."""

    def __init__(self, servers: LegacyServers, peer: str = "10.0.0.7") -> None:
        self.transport = Transport(peer)
        self.connection = LegacyConnection(servers)
        self.connection.connection_made(cast("asyncio.Transport", self.transport))
        if self.transport.aborted:
            self.end()

    @property
    def is_open(self) -> bool:
        return not self.transport.aborted

    def say(self, *messages: dict[str, Any] | str) -> None:
        """Send messages in one piece, with nothing between them."""
        self.send(b"".join(orjson.dumps({"type": each} if isinstance(each, str) else each) for each in messages))

    def send(self, data: bytes) -> None:
        if self.is_open:
            self.connection.data_received(data)
        if not self.is_open:
            self.end()

    def connect(self, **fields: Any) -> None:
        self.say({**CONNECT, **fields})

    def end(self) -> None:
        """The connection is gone."""
        if self.connection._transport is not None:
            self.connection.connection_lost(None)


class Servers:
    """Stock servers of one replica, and what the store knows of them."""

    def __init__(self, store: Store | None = None, replica: str = "here", **settings: Any) -> None:
        self.store = store or Store()
        self.servers = LegacyServers(self.store.real, replica, Settings(**settings), Metrics())
        self.now = 1000.0

    def line(self, peer: str = "10.0.0.7") -> Line:
        return Line(self.servers, peer)

    async def headers(self) -> None:
        """Have the store told of all that is to be told."""
        await self.servers.report_changes()

    async def known(self) -> list[StreamerView]:
        await self.headers()
        return list((await self.store.inner.snapshot()).streamers)

    async def state(self) -> dict[str, tuple[bool, int]]:
        """Return each server's readiness and players, as the store has them."""
        return {view.report.server_id: (view.report.ready, view.report.players) for view in await self.known()}
