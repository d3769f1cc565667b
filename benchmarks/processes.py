"""Servers as processes of their own, and what /proc says that they use."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

START_SECONDS: Final = 20.0

PIXELFLEET: Final = (
    *("-m", "pixelfleet_cli.cli", "signalserver", "--log-format", "json", "--host", "127.0.0.1"),
    *("--player-port", "0", "--streamer-port", "0", "--sfu-port", "0", "--metrics-port", "0"),
)
"""Our server as it comes: validation, metrics, bounds and info logging on. Its lines are JSON to find the ports in."""

COMMANDS: Final = {
    "bare aiohttp": ("-m", "benchmarks.bare_relay", "aiohttp"),
    "bare picows": ("-m", "benchmarks.bare_relay", "picows"),
    "pixelfleet": PIXELFLEET,
}
"""The servers that are measured, as arguments of this Python."""


class StartError(RuntimeError):
    """A server did not come up; the text holds its last lines."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server under load."""

    player_url: str
    streamer_url: str
    pid: int | None
    """None for a server elsewhere, of which only rates and times are measured."""
    others: tuple[int, ...] = ()
    """Further processes that a message passes through: their CPU counts, too."""

    @property
    def pids(self) -> tuple[int, ...]:
        """All processes that are measured."""
        return () if self.pid is None else (self.pid, *self.others)


@asynccontextmanager
async def started(name: str) -> AsyncIterator[Server]:
    """Run one of COMMANDS while the body runs; raise StartError when it does not come up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *COMMANDS[name],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=Path(__file__).parent.parent,
        # Settings that somebody has exported would make it another server.
        env={name: value for name, value in os.environ.items() if not name.startswith("PIXELFLEET_")},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            players, streamers = await _ports(name, process.stdout)
        reading = asyncio.create_task(_discard(process.stdout))
        try:
            yield Server(f"ws://127.0.0.1:{players}/", f"ws://127.0.0.1:{streamers}/", process.pid)
        finally:
            reading.cancel()
    finally:
        if process.returncode is None:
            # Nothing here is worth an orderly end, which takes our server some seconds.
            process.kill()
        await process.wait()


async def _ports(name: str, lines: asyncio.StreamReader) -> tuple[int, int]:
    last: deque[str] = deque(maxlen=5)
    async for line in lines:
        last.append(line.decode("utf-8", "replace").rstrip())
        if ports := announced_ports(line):
            return ports
    raise StartError("\n".join([f"{name} did not start:", *last]))


def announced_ports(line: bytes) -> tuple[int, int] | None:
    """Return the ports for players and streamers, if a server's line tells them."""
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(said, dict):
        return None
    players, streamers = said.get("players"), said.get("streamers")
    return (players, streamers) if isinstance(players, int) and isinstance(streamers, int) else None


async def _discard(lines: asyncio.StreamReader) -> None:
    """Read what a server logs, so that it never waits for us."""
    async for _ in lines:
        pass


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, its own and the kernel's on its behalf."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid: int) -> int:
    """Return the memory that a process occupies."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
