"""Fixtures of the fault tests: two matchmakers and a redis-server as processes, and simulated signalling servers."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from benchmarks.matching import processes
from benchmarks.matching.joins import Outcome, joins
from benchmarks.matching.servers import Fleet
from benchmarks.processes import Program
from pixelfleet.fleet.bounds import ARRIVAL_SECONDS, EXPIRY_SECONDS
from pixelfleet.fleet.model import Totals
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from tests.parts import eventually, require_part

SERVERS = 40
MEASURED: list[str] = []
"""Lines that are shown at the end of the run."""
READY_SECONDS = 30.0
SLOT_SECONDS = ARRIVAL_SECONDS + EXPIRY_SECONDS
"""The longest time that a slot may be lost: until the lease of a lost player has expired."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the tests have measured."""
    for line in MEASURED:
        terminalreporter.write_line(line)


@dataclass(kw_only=True)
class ControlPlane:
    """A redis-server and its matchmakers."""

    folder: Path
    key: str
    port: int
    redis: Program
    store: FleetStore
    options: tuple[str, ...] = ()
    """Further options of the matchmakers."""
    replicas: list[Program] = field(default_factory=list)

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def urls(self) -> list[str]:
        return [f"ws://127.0.0.1:{replica.facts['port']}/" for replica in self.replicas]

    async def start_replica(self) -> Program:
        options = (
            *("--redis-url", self.redis_url, "--session-key", self.key, "--legacy-port", "0"),
            *("--hold-seconds", "0"),  # all players have one address
            *self.options,
        )
        replica = await processes.matchmaker(*options, log=self.folder / "matchmaker.log")
        self.replicas.append(replica)
        return replica

    async def ready(self, replica: Program) -> None:
        url = f"http://127.0.0.1:{replica.facts['port']}/readyz"
        async with aiohttp.ClientSession() as session:

            async def is_ready() -> bool:
                async with session.get(url) as answer:
                    return answer.status == 200

            await eventually(is_ready, "the matchmaker is ready", within=READY_SECONDS)

    async def slots_are_free(self, count: int) -> None:
        """Wait until the store has this number of streamers, all free."""

        async def free() -> bool:
            totals: Totals = await self.store.totals()
            app = totals.apps.get("default")
            return app is not None and (app.streamers, app.available, app.used, app.waiting) == (count, count, 0, 0)

        await eventually(free, f"{count} slots are free", within=SLOT_SECONDS, tolerating=(StoreUnavailableError,))


@asynccontextmanager
async def control_plane(folder: Path, *options: str) -> AsyncIterator[ControlPlane]:
    """Start Redis and two matchmakers with these options, which are ready when this yields."""
    require_part("redis-server")
    port = processes.free_port()
    async with AsyncExitStack() as stack:
        redis = await processes.redis(port, folder)
        store = await stack.enter_async_context(open_store(f"redis://127.0.0.1:{port}"))
        made = ControlPlane(
            folder=folder, key=secrets.token_hex(32), port=port, redis=redis, store=store, options=options
        )

        async def end_redis() -> None:  # the process of that moment: tests restart it
            await made.redis.end()

        stack.push_async_callback(end_redis)
        for _ in range(2):
            replica = await made.start_replica()
            stack.push_async_callback(replica.end)
        for replica in made.replicas:
            await made.ready(replica)
        yield made


@dataclass
class Deployment:
    """A redis-server, matchmakers, and simulated signalling servers."""

    control_plane: ControlPlane
    kind: str
    fleets: list[Fleet]

    @property
    def replicas(self) -> list[Program]:
        return self.control_plane.replicas

    @property
    def double_booked(self) -> int:
        """The number of servers that ever had two players at once."""
        return sum(fleet.double_booked for fleet in self.fleets)

    async def joins(self, players: int, rate: float, *, hold: float, limit: float = 60.0) -> Outcome:
        """Run players that dial again when their socket is lost, as pages do."""
        return await joins(self.control_plane.urls, players=players, rate=rate, hold=hold, limit=limit, come_back=True)

    async def lose_store(self, how: str) -> float:
        """Lose the store's data; return the time of the loss on the loop's clock."""
        return await processes.lose_store(how, self.control_plane.redis, self.control_plane.folder)

    async def every_slot_is_free(self) -> None:
        """Wait until no slot is lost."""
        await self.control_plane.slots_are_free(SERVERS)


@pytest.fixture(params=["native", "legacy", "both"])
async def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Deployment]:
    kinds = [request.param] if request.param != "both" else ["native", "legacy"]
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(control_plane(tmp_path))
        fleets = []
        for kind in kinds:
            native = kind == "native"
            fleet = Fleet(SERVERS // len(kinds), key=made.key if native else None)
            fleets.append(await stack.enter_async_context(fleet.listening()))
            if native:
                await stack.enter_async_context(fleet.reporting(made.store))
            else:
                links = [("127.0.0.1", replica.facts["stock_servers"]) for replica in made.replicas]
                await stack.enter_async_context(fleet.linked(links))
        deployment = Deployment(made, request.param, fleets)
        await deployment.every_slot_is_free()
        yield deployment


async def after(seconds: float) -> None:
    """Wait until a run is under way, which cannot be observed from outside."""
    await asyncio.sleep(seconds)
