"""What is measured, each in a process of its own: redis-server, matchmakers, and the proxy that is their floor."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from benchmarks.processes import PIXELFLEET, StartError

START_SECONDS: Final = 30.0
ROOT: Final = Path(__file__).parent.parent.parent


@dataclass(slots=True)
class Program:
    """A running program."""

    process: asyncio.subprocess.Process
    facts: dict[str, int]
    """The numbers of the line in which it said that it listens, its ports among them."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.process.returncode is None:
            self.process.send_signal(number)

    async def end(self) -> None:
        """Kill it, and wait for its end."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        await self.process.wait()


def free_port() -> int:
    """Return a TCP port that nobody listens on at the moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def start_python(*arguments: str, fact: str, log: Path | None = None) -> Program:
    """Start a module of ours and wait for the JSON line that has `fact`; raise StartError when it does not come."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PIXELFLEET_")},
    )
    assert process.stdout is not None
    last = b""
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in process.stdout:
                last = line
                if (said := _facts(line)).get(fact):
                    keep = asyncio.create_task(_read_on(process.stdout, log))
                    _readers.add(keep)
                    keep.add_done_callback(_readers.discard)
                    return Program(process, said)
    except TimeoutError:
        pass
    process.kill()
    await process.wait()
    raise StartError(f"{arguments[0]} did not start: {last.decode('utf-8', 'replace').strip()}")


_readers: set[asyncio.Task[None]] = set()


async def _read_on(lines: asyncio.StreamReader, log: Path | None) -> None:
    """Read what a program says, so that it never waits for us; keep what is worse than information."""
    async for line in lines:
        if log is not None and b'"level":"info"' not in line:
            with log.open("ab") as file:
                file.write(line)


def _facts(line: bytes) -> dict[str, int]:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return {name: value for name, value in said.items() if isinstance(value, int)} if isinstance(said, dict) else {}


async def matchmaker(*options: str, log: Path | None = None) -> Program:
    """Start a matchmaker as it comes, with info logging, on free ports."""
    return await start_python(
        *("pixelfleet_cli.cli", "matchmaker", "--log-format", "json", "--host", "127.0.0.1"),
        *("--port", "0", "--metrics-port", "0", *options),
        fact="port",
        log=log,
    )


async def signalserver(*options: str, log: Path | None = None) -> Program:
    """Start a signalling server as it comes; its facts are the ports `players`, `streamers` and `metrics`."""
    return await start_python(*PIXELFLEET[1:], *options, fact="players", log=log)


async def proxy(upstream_url: str) -> Program:
    """Start the floor."""
    return await start_python("benchmarks.bare_proxy", upstream_url, fact="port")


@asynccontextmanager
async def redis_folder() -> AsyncIterator[Path]:
    """Yield a folder for a redis-server's files."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


async def redis(port: int, folder: Path) -> Program:
    """Start a redis-server that keeps nothing on disk; raise StartError when there is none."""
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
