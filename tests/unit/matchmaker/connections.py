"""Connections of legacy servers without a network."""

import asyncio
from typing import Any, cast

import orjson

from matchmaker.legacy.connection import LegacyConnection
from matchmaker.legacy.known_dialects import LegacyDialects
from matchmaker.legacy.servers import LegacyServers
from matchmaker.metrics import Metrics
from matchmaker.settings import Settings
from pixelfleet.fleet.model import StreamerView
from tests.unit.matchmaker.brokers import Store

CONNECT = {"type": "connect", "address": "127.0.0.1", "port": 8080, "ready": True, "playerConnected": False}


class Transport:
    """The transport of a fake connection."""

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


class LegacyClient:
    """The legacy server's end of a fake connection."""

    def __init__(self, servers: LegacyServers, peer: str = "10.0.0.7") -> None:
        self.transport = Transport(peer)
        self.connection = LegacyConnection(servers)
        self.connection.connection_made(cast("asyncio.Transport", self.transport))
        if self.transport.aborted:
            self.end()

    @property
    def is_open(self) -> bool:
        return not self.transport.aborted

    def send(self, *messages: dict[str, Any] | str) -> None:
        """Send messages in one segment, without separators."""
        self.send_bytes(
            b"".join(orjson.dumps({"type": message} if isinstance(message, str) else message) for message in messages)
        )

    def send_bytes(self, data: bytes) -> None:
        if self.is_open:
            self.connection.data_received(data)
        if not self.is_open:
            self.end()

    def connect(self, **fields: Any) -> None:
        self.send({**CONNECT, **fields})

    def end(self) -> None:
        """End the connection."""
        if self.connection._transport is not None:
            self.connection.connection_lost(None)


class Servers:
    """The legacy servers of one replica, and their state in the store."""

    def __init__(self, store: Store | None = None, replica: str = "here", **settings: Any) -> None:
        self.store = store or Store()
        chosen = Settings(**settings)
        self.servers = LegacyServers(self.store.real, replica, chosen, Metrics(), LegacyDialects(chosen.legacy_rules))
        self.now = 1000.0

    def connect(self, peer: str = "10.0.0.7") -> LegacyClient:
        return LegacyClient(self.servers, peer)

    async def report(self) -> None:
        """Send pending reports to the store."""
        await self.servers.report_changes()

    async def views(self) -> list[StreamerView]:
        await self.report()
        return list((await self.store.inner.snapshot()).streamers)

    async def state(self) -> dict[str, tuple[bool, int]]:
        """Return readiness and players of each server in the store."""
        return {view.report.server_id: (view.report.ready, view.report.players) for view in await self.views()}
