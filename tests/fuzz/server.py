"""A real signalling server in a process of its own, and probes from outside."""

import asyncio
import re
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from tests.parts import PATIENCE_SECONDS, eventually, free_ports, program


@dataclass(slots=True)
class Server:
    """The running process and its ports."""

    process: asyncio.subprocess.Process
    player_port: int
    streamer_port: int
    sfu_port: int
    metrics_port: int
    http: aiohttp.ClientSession
    log: Path

    async def status(self, path: str) -> int:
        """Return the HTTP status of a path on the player port."""
        async with self.http.get(f"http://127.0.0.1:{self.player_port}{path}") as answer:
            return answer.status

    async def read(self, path: str) -> Any:
        """Return the JSON at a path on the player port."""
        async with self.http.get(f"http://127.0.0.1:{self.player_port}{path}") as answer:
            return await answer.json()

    async def metrics(self) -> list[str]:
        """Return the lines of the metrics."""
        async with self.http.get(f"http://127.0.0.1:{self.metrics_port}/metrics") as answer:
            return [line for line in (await answer.text()).splitlines() if not line.startswith("#")]

    async def messages_received(self) -> int:
        """Return the number of complete messages that reached the server's rules."""
        name = "signalserver_messages_received_total{"
        return sum(int(float(line.rpartition(" ")[2])) for line in await self.metrics() if line.startswith(name))

    def open_files(self) -> int:
        """Return the number of open files and sockets of the process; 0 on systems without /proc."""
        folder = Path(f"/proc/{self.process.pid}/fd")
        return len(list(folder.iterdir())) if folder.exists() else 0

    async def memory(self) -> int:
        """Return the process's resident memory in bytes."""
        statm = Path(f"/proc/{self.process.pid}/statm")
        if await asyncio.to_thread(statm.exists):
            return int((await asyncio.to_thread(statm.read_text)).split()[1]) * resource.getpagesize()
        arguments = ("ps", "-o", "rss=", "-p", str(self.process.pid))
        async with program(*arguments) as asked:
            output, _ = await asked.communicate()
        return int(output or b"0") * 1024

    async def stop(self) -> int:
        """Send SIGTERM; return the exit code."""
        self.process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.process.wait()

    def errors_logged(self) -> list[str]:
        """Return log lines with errors or tracebacks: no client may cause one."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return [
            line for line in text.splitlines() if re.search(r"\[(error|critical) *\]|^[\w.]+(Error|Exception)\b", line)
        ]


@asynccontextmanager
async def signalserver(*options: str) -> AsyncIterator[Server]:
    """Run `pixelfleet signalserver` on free ports while the body runs."""
    ports = free_ports(4)
    names = ("--player-port", "--streamer-port", "--sfu-port", "--metrics-port")
    arguments = [text for name, port in zip(names, ports, strict=True) for text in (name, str(port))]
    connector = aiohttp.TCPConnector(force_close=True)
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = (
            sys.executable,
            "-m",
            "pixelfleet_cli.cli",
            "signalserver",
            "--host",
            "127.0.0.1",
            *arguments,
            *options,
        )
        with log.open("wb") as stderr:  # the process writes to the file itself, so the loop does not block
            started = program(*command, stdout=asyncio.subprocess.DEVNULL, stderr=stderr)
            async with started as process, aiohttp.ClientSession(connector=connector) as http:
                server = Server(process, ports[0], ports[1], ports[2], ports[3], http, log)

                async def alive() -> bool:
                    return await server.status("/livez") == 200

                await eventually(alive, "the signalserver answers", tolerating=(aiohttp.ClientError,))
                yield server
