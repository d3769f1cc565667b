"""The measured programs, each in a process of its own: redis-server, matchmakers, and the proxy as their floor."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from redis.asyncio import Redis

from benchmarks.processes import PIXELFLEET, START_SECONDS, Program, StartError, start_python

READY_SECONDS: Final = 30.0
STALE_SECONDS: Final = 0.5
"""The age of the data of the redis-server that replaces a lost one."""


def free_port() -> int:
    """Return a TCP port that is free at the moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def matchmaker(*options: str, log: Path | None = None) -> Program:
    """Start a matchmaker with default settings, with info logging, on free ports."""
    return await start_python(
        *("pixelfleet_cli.cli", "matchmaker", "--log-format", "json", "--host", "127.0.0.1"),
        *("--port", "0", "--metrics-port", "0", *options),
        fact="port",
        log=log,
    )


async def signalserver(*options: str, log: Path | None = None) -> Program:
    """Start a signalling server with default settings; its facts are the ports `players`, `streamers` and `metrics`."""
    return await start_python(*PIXELFLEET, *options, fact="players", log=log)


async def proxy(upstream_url: str) -> Program:
    """Start the bare proxy."""
    return await start_python("benchmarks.bare_proxy", upstream_url, fact="port")


@asynccontextmanager
async def redis_folder() -> AsyncIterator[Path]:
    """Yield a folder for a redis-server's files."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


async def redis(port: int, folder: Path) -> Program:
    """Start a redis-server without persistence; raise StartError when it is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        raise StartError("redis-server is not on PATH; scripts/install-parts installs it")
    process = await asyncio.create_subprocess_exec(
        program,
        *("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return Program(process, {"port": port})


async def redis_command(port: int, command: str) -> None:
    """Run a command without a reply of its own on a redis-server; raise StartError when it fails."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{command}\r\n".encode())
    reply = await reader.readline()
    writer.close()
    if reply != b"+OK\r\n":
        raise StartError(f"{command}: {reply.decode().strip()}")


async def redis_memory(port: int) -> int:
    """Return the bytes that a redis-server uses, as it counts them against `maxmemory`."""
    async with Redis(port=port) as client:
        return int((await client.info("memory"))["used_memory"])


async def lose_store(how: str, store: Program, folder: Path) -> float:
    """Lose data of a redis-server; return the time of the loss on the loop's clock. `store` is its process afterwards.

    `flush` deletes all data, `restart` kills the process and starts an empty one, and `failover` starts one with the
    data of STALE_SECONDS before.
    """
    port, now = store.facts["port"], asyncio.get_running_loop().time
    if how == "flush":
        lost = now()
        await redis_command(port, "FLUSHALL")
        return lost
    if how == "failover":
        await redis_command(port, "SAVE")
        await asyncio.sleep(STALE_SECONDS)
    lost = now()
    await store.end()
    store.process = (await redis(port, folder)).process
    return lost


async def wait_until_ready(port: int) -> None:
    """Wait until a matchmaker is ready; raise TimeoutError."""
    async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Matchmakers:
    """Matchmakers on one redis-server."""

    replicas: list[Program]
    store: Program
    folder: Path
    """The redis-server's."""

    @property
    def redis_url(self) -> str:
        """The URL of the fleet store."""
        return f"redis://127.0.0.1:{self.store.facts['port']}"

    @property
    def player_urls(self) -> list[str]:
        """The URL for players of each replica."""
        return [f"ws://127.0.0.1:{replica.facts['port']}/" for replica in self.replicas]

    @property
    def programs(self) -> list[Program]:
        """All processes."""
        return [*self.replicas, self.store]


@asynccontextmanager
async def matchmakers(count: int, *options: str) -> AsyncIterator[Matchmakers]:
    """Run matchmakers on a redis-server while the body runs, ready for players; raise StartError or TimeoutError."""
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(redis_folder())
        store = await redis(free_port(), folder)
        running = Matchmakers([], store, folder)
        stack.push_async_callback(store.end)
        for _ in range(count):
            replica = await matchmaker("--redis-url", running.redis_url, *options)
            stack.push_async_callback(replica.end)
            running.replicas.append(replica)
        for replica in running.replicas:
            await wait_until_ready(replica.facts["port"])
        yield running
