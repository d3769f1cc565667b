"""Runs a matchmaker on free ports, with a client, and legacy servers that report to it."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

import matchmaker.app
from matchmaker.settings import Settings
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.store import FleetStore
from tests.integration.operators import TOKEN, OperatorClient
from tests.parts import eventually
from tests.standins.cirrus import UE_5_2, Cirrus, Generation, running_cirrus

KEY = "k" * 32


@dataclass
class RunningMatchmaker(OperatorClient):
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
    """Run a matchmaker with these settings. Without one for it, players of a test may be silent for any time."""
    fleet = store or MemoryFleetStore()
    fixed: dict[str, Any] = {"port": 0, "metrics_port": 0, "legacy_port": 0, "rest_token": TOKEN, "session_key": KEY}
    values = {**fixed, "confirm_seconds": 0, **chosen}
    settings = Settings(host="127.0.0.1", **values)
    async with matchmaker.app.running(settings, fleet) as server, aiohttp.ClientSession() as http:
        yield RunningMatchmaker(server, fleet, http)


@asynccontextmanager
async def running_legacy_server(
    running: RunningMatchmaker | None = None,
    generation: Generation = UE_5_2,
    *,
    tls: ssl.SSLContext | None = None,
    streamers: tuple[str, ...] = ("DefaultStreamer",),
    full: bool = False,
) -> AsyncIterator[Cirrus]:
    """Run a stand-in for a stock server; with a matchmaker, it is registered there as ready when this yields."""
    async with running_cirrus(generation, tls=tls) as legacy:
        legacy.streamers, legacy.full = streamers, full
        if running is not None:
            assert running.server.link_port is not None
            await legacy.connect(running.server.link_port)
            await known(running, legacy)
        yield legacy


async def known(running: RunningMatchmaker, legacy: Cirrus, *, ready: bool = True) -> None:
    """Wait until the store has a legacy server with this readiness."""

    async def matches_state() -> bool:
        report = (await running.streamers()).get(f"127.0.0.1:{legacy.port}/stock")
        return report is not None and report.ready is ready

    await eventually(matches_state, f"the legacy server is {'' if ready else 'not '}ready")
