"""The fleet under test: Redis, two matchmakers, a router, ten streamers behind signalling servers, and Prometheus."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from msgspec import to_builtins

from benchmarks.matching.processes import wait_until_ready
from benchmarks.processes import ROOT, Program, start_python
from tests.chaos.conftest import control_plane
from tests.chaos.pods import pods
from tests.parts import free_port, program
from tests.soak.attacks import Targets
from tests.telemetry.prometheus import Prometheus, compose_configuration, prometheus

SERVERS: Final = 2
STREAMERS: Final = 5
ASSET_BYTES: Final = 1024 * 1024

FIRST_MEDIA_SECONDS: Final = 10
CONNECTIONS_PER_ADDRESS: Final = 3
"""A small fleet needs a small limit: one address can hold this many streamers through each matchmaker."""


@dataclass(frozen=True)
class Fleet:
    """The running fleet."""

    programs: Mapping[str, Program]
    """All processes that are measured."""
    urls: list[str]
    """Where players connect: the router, and each matchmaker."""
    targets: Targets
    token: str
    """The matchmakers' bearer token."""
    prometheus: Prometheus
    folder: Path

    def errors(self) -> list[str]:
        """Return the lines of level error in the logs of the services."""
        found = []
        for log in sorted(self.folder.glob("*.log")):
            found += [
                line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if _is_error(line)
            ]
        return found


def _is_error(line: str) -> bool:
    return '"level":"error"' in line or line.startswith("Traceback")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Fleet]:
    """Run the fleet while the body runs, with its files in `folder`."""
    token = secrets.token_hex(16)
    limits = ("--trusted-proxies", "1", "--connections-per-address", str(CONNECTIONS_PER_ADDRESS))
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(control_plane(folder, *limits, "--rest-token", token))
        media = ("--first-media-seconds", str(FIRST_MEDIA_SECONDS))
        made = await stack.enter_async_context(pods(base, *media, servers=SERVERS, streamers=STREAMERS))
        metrics = free_port()
        router = await _router(folder, base.urls, token, metrics)
        stack.push_async_callback(router.end)
        replicas = [replica.facts for replica in base.replicas]
        servers = [pod.server for pod in made]
        ports = {
            "matchmaker": [facts["metrics"] for facts in replicas],
            "signalserver": [server.facts["metrics"] for server in servers],
            "router": [metrics],
        }
        jobs = {job: [{"targets": [f"127.0.0.1:{port}" for port in found]}] for job, found in ports.items()}
        yield Fleet(
            programs={
                **{f"matchmaker {number}": each for number, each in enumerate(base.replicas, 1)},
                **{f"signalserver {number}": each for number, each in enumerate(servers, 1)},
                "router": router,
                "redis": base.redis,
            },
            urls=[f"ws://127.0.0.1:{router.facts['port']}/ws", *base.urls],
            targets=Targets(
                router=router.facts["port"],
                matchmakers=[facts["port"] for facts in replicas],
                legacy=[facts["stock_servers"] for facts in replicas],
                signalservers=[server.facts["players"] for server in servers],
                metrics=[port for found in ports.values() for port in found],
            ),
            token=token,
            prometheus=await stack.enter_async_context(prometheus(folder / "prometheus", compose_configuration(jobs))),
            folder=folder,
        )


async def _router(folder: Path, matchmakers: list[str], token: str, metrics: int) -> Program:
    page = folder / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>page</title>", encoding="utf-8")
    (page / "assets" / "large.js").write_bytes(b"/" * ASSET_BYTES)
    router = await start_python(
        *("pixelfleet_cli.cli", "router", "--log-format", "json", "--host", "127.0.0.1", "--port", "0"),
        *("--metrics-port", str(metrics), "--page", str(page), "--trusted-proxies", "1", "--rest-token", token),
        *("--proxy-auth", "open", "--dashboard-auth", "open"),
        *(word for url in matchmakers for word in ("--matchmaker", url.removesuffix("/"))),
        fact="port",
        log=folder / "router.log",
    )
    await wait_until_ready(router.facts["port"])
    return router


@dataclass
class Hostile:
    """The hostile client's process."""

    process: asyncio.subprocess.Process
    busy: bool = False

    async def change(self, attack: str) -> dict[str, int]:
        """Begin an attack, or none; return the outcomes of the one before."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{attack}\n".encode())
        await stdin.drain()
        was_busy, self.busy = self.busy, bool(attack)
        return orjson.loads(await stdout.readline()) if was_busy else {}


@asynccontextmanager
async def hostile_client(targets: Targets) -> AsyncIterator[Hostile]:
    """Run the hostile client while the body runs."""
    words = (sys.executable, "-m", "tests.soak.hostile", orjson.dumps(to_builtins(targets)).decode())
    async with program(*words, stdin=asyncio.subprocess.PIPE, stderr=None, cwd=ROOT) as process:
        yield Hostile(process)
