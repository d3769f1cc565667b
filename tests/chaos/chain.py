"""A whole fleet with a fault proxy between any two of its parts: routers, matchmakers, signalling servers, Redis.

Each part is a process of its own. The streamers run in this process and connect through a proxy, too. A part that was
killed is started again, as a supervisor would, and keeps its place behind its proxies.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from redis.asyncio import Redis

from benchmarks.matching import processes
from benchmarks.processes import Program, start_python
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.store import FleetStore
from pixelfleet.service.lifecycle import background
from tests.chaos.checks import Capacity, Order
from tests.chaos.faults import Link
from tests.chaos.sources import Source
from tests.parts import free_port

ROUTERS: Final = 2
MATCHMAKERS: Final = 2
SERVERS: Final = 3
STREAMERS: Final = 2
CAPACITY: Final = 2
SLOTS: Final = SERVERS * STREAMERS * CAPACITY
WINDOW_SECONDS: Final = 6
"""How long sessions and places are kept."""

READY_SECONDS: Final = 30.0

LINKS: Final = (
    "page-router",
    "router-matchmaker",
    "router-signalserver",
    "matchmaker-redis",
    "signalserver-redis",
    "streamer-signalserver",
)
"""The kinds of links. Matchmakers dial signalling servers over `router-signalserver`, when no router does."""

WATCH: Final = "checks-redis"
"""The link of the checks, which has no faults."""

SERVICES: Final = ("pixelfleet_cli.cli",)
PEERS: Final = ("--log-format", "json", "--host", "127.0.0.1", "--ping-interval", "2", "--pong-timeout", "2")
LIMITS: Final = ("--hold-seconds", "0", "--joins-per-minute", "0", "--connections-per-address", "0")


@dataclass(eq=False)
class Part:
    """A process and the links that lead to it."""

    kind: str
    start: Callable[[], Awaitable[Program]]
    doors: dict[str, Link]
    """The links by the fact of the process that is their port."""
    program: Program | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.program is not None
        return self.program.pid

    async def begin(self) -> None:
        """Start the process, and connect the links to it."""
        self.program = await self.start()
        for fact, link in self.doors.items():
            link.target = self.program.facts[fact]

    async def kill(self) -> None:
        """End the process with SIGKILL; its links refuse connections."""
        assert self.program is not None
        for link in self.doors.values():
            link.target = 0
        await self.program.end()


@dataclass
class Chain:
    """The running fleet."""

    folder: Path
    chance: random.Random
    mutant: str = ""
    key: str = field(default_factory=lambda: secrets.token_hex(32))
    links: dict[str, list[Link]] = field(default_factory=lambda: {kind: [] for kind in (*LINKS, WATCH)})
    parts: list[Part] = field(default_factory=list)
    launcher: Sequence[str] = SERVICES
    """The module that starts a service, with its first arguments."""
    clock: Callable[["Chain"], float] | None = None
    """Chooses the seconds by which the clock of the next process is ahead."""
    names: list[str] = field(default_factory=list)
    """The endpoint ids of all streamers."""
    sources: list[Source] = field(default_factory=list)
    store: FleetStore = field(init=False)

    def of(self, kind: str) -> list[Part]:
        """Return the parts of a kind."""
        return [part for part in self.parts if part.kind == kind]

    def one(self, kind: str) -> Part:
        """Choose a part of a kind."""
        return self.chance.choice(self.of(kind))

    @property
    def redis(self) -> Part:
        """The redis-server."""
        return self.of("redis")[0]

    @property
    def entries(self) -> list[str]:
        """The URLs of the routers for players."""
        return [f"{link.url}/ws" for link in self.links["page-router"]]

    async def refused_for_a_slot(self) -> float:
        """Return the number of players that the running servers refused because their leased slot was taken."""
        series = 'signalserver_upgrades_refused_total{reason="slot",role="player"}'
        total = 0.0
        async with aiohttp.ClientSession() as http:
            for part in self.of("signalserver"):
                assert part.program is not None
                async with http.get(f"http://127.0.0.1:{part.program.facts['metrics']}/metrics") as answer:
                    lines = (await answer.text()).splitlines()
                total += sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(series))
        return total

    def errors(self) -> list[str]:
        """Return the lines of level error, and the tracebacks, in the logs of the services."""
        found = []
        for log in sorted(self.folder.glob("*.log")):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            found += [f"{log.stem}: {line}" for line in lines if '"level":"error"' in line or line.startswith("Trac")]
        return found

    async def promote_replica(self) -> None:
        """Replicate Redis, wait until the replica is in step, kill the primary, and promote the replica."""
        primary, port = self.redis, free_port()
        assert primary.program is not None
        replica = await processes.redis(port, self.folder)
        try:
            await processes.redis_command(port, f"REPLICAOF 127.0.0.1 {primary.program.facts['port']}")
            await _in_step(port)
            await primary.program.end()
            await processes.redis_command(port, "REPLICAOF NO ONE")
        except BaseException:
            await replica.end()
            raise
        primary.program = replica
        for kind in ("matchmaker-redis", "signalserver-redis", WATCH):
            for link in self.links[kind]:
                link.target = port

    # -- for the start --------------------------------------------------------------------------------

    async def link(self, stack: AsyncExitStack, kind: str) -> Link:
        """Add a link of a kind."""
        made = Link(f"{kind} {len(self.links[kind])}", random.Random(self.chance.random()))
        self.links[kind].append(made)
        return await stack.enter_async_context(made.listening())

    def service(self, name: str, *options: str, fact: str = "port") -> Callable[[], Awaitable[Program]]:
        """Return what starts a service, altered as the run requires."""

        async def start() -> Program:
            ahead = self.clock(self) if self.clock else 0.0
            altered = ("tests.chaos.altered", self.mutant, str(ahead))
            module = altered if self.mutant or ahead else self.launcher
            return await start_python(*module, name, *PEERS, *options, fact=fact, log=self.folder / f"{name}.log")

        return start

    async def add(self, stack: AsyncExitStack, part: Part) -> Part:
        """Start a part, which ends with the stack."""
        await part.begin()
        self.parts.append(part)

        async def end() -> None:  # the process of that moment
            assert part.program is not None
            await part.program.end()

        stack.push_async_callback(end)
        return part


async def _in_step(port: int) -> None:
    """Wait until a replica has the data of its primary."""
    async with Redis(port=port) as client, asyncio.timeout(READY_SECONDS):
        while (await client.info("replication")).get("master_link_status") != "up":
            await client.ping()


@asynccontextmanager
async def running(
    folder: Path,
    chance: random.Random,
    capacity: Capacity,
    order: Order,
    *,
    mutant: str = "",
    clock: Callable[[Chain], float] | None = None,
    launcher: Sequence[str] = SERVICES,
) -> AsyncIterator[Chain]:
    """Run a fleet while the body runs; it is complete when this yields."""
    async with AsyncExitStack() as stack:
        chain = Chain(folder, chance, mutant, launcher=launcher, clock=clock)
        port = free_port()

        async def redis() -> Program:
            return await processes.redis(port, folder)

        await chain.add(stack, Part("redis", redis, {}))
        watched = await chain.link(stack, WATCH)
        watched.target = port
        chain.store = await stack.enter_async_context(open_store(f"redis://127.0.0.1:{watched.port}"))
        for number in range(SERVERS):
            await _signalserver(chain, stack, number, port)
        for _ in range(MATCHMAKERS):
            await _matchmaker(chain, stack, port)
        for number in range(ROUTERS):
            await _router(chain, stack, number)
        for number in range(SERVERS):
            for which in range(STREAMERS):
                url = chain.links["streamer-signalserver"][number].url
                chain.names.append(f"pod{number}-cam{which}")
                chain.sources.append(Source(chain.names[-1], url, capacity, order))
        await stack.enter_async_context(background(*(source.run() for source in chain.sources)))
        yield chain


async def _signalserver(chain: Chain, stack: AsyncExitStack, number: int, redis_port: int) -> None:
    store = await chain.link(stack, "signalserver-redis")
    store.target = redis_port
    players, streamers = [await chain.link(stack, f"{kind}-signalserver") for kind in ("router", "streamer")]
    start = chain.service(
        "signalserver",
        *(
            "--player-port",
            "0",
            "--streamer-port",
            "0",
            "--sfu-port",
            "0",
            "--metrics-port",
            "0",
            "--hold-seconds",
            "0",
        ),
        *("--redis-url", f"redis://127.0.0.1:{store.port}", "--session-key", chain.key, "--public-url", players.url),
        *("--server-id", f"pod{number}", "--capacity", str(CAPACITY)),
        *("--resume-seconds", str(WINDOW_SECONDS), "--reload-seconds", "2"),
        fact="players",
    )
    await chain.add(stack, Part("signalserver", start, {"players": players, "streamers": streamers}))


async def _matchmaker(chain: Chain, stack: AsyncExitStack, redis_port: int) -> None:
    store, players = await chain.link(stack, "matchmaker-redis"), await chain.link(stack, "router-matchmaker")
    store.target = redis_port
    start = chain.service(
        "matchmaker",
        *("--port", "0", "--metrics-port", "0", "--legacy-port", "0", *LIMITS, "--resume-seconds", str(WINDOW_SECONDS)),
        *("--redis-url", f"redis://127.0.0.1:{store.port}", "--session-key", chain.key),
    )
    await chain.add(stack, Part("matchmaker", start, {"port": players}))


async def _router(chain: Chain, stack: AsyncExitStack, number: int) -> None:
    page = chain.folder / f"page{number}"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>page</title>", encoding="utf-8")
    start = chain.service(
        "router",
        *("--port", "0", "--metrics-port", "0", "--page", str(page), "--session-key", chain.key, *LIMITS),
        *(word for link in chain.links["router-matchmaker"] for word in ("--matchmaker", link.url)),
    )
    await chain.add(stack, Part("router", start, {"port": await chain.link(stack, "page-router")}))
