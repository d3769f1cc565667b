"""The longest stall of a picture while every router and matchmaker is replaced, and nginx reloads in between.

    python -m benchmarks.rolling [--runs 5] [--rounds 2] [--check]

Two routers behind nginx, two matchmakers on one redis-server, a signalling server with a test streamer, and a headless
Chromium that plays: each a process of its own. A round replaces both routers, reloads nginx, and replaces both
matchmakers, one after the other. A replaced service gets SIGTERM, and the next one starts when it has ended. The page
itself measures its stalls: the longest time in which no further frame was decoded.
"""

import argparse
import asyncio
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from playwright.async_api import Page, async_playwright
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from benchmarks.chromium import CHROMIUM_OPTIONS
from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.matching.processes import free_port, redis, redis_folder, signalserver, wait_until_ready
from benchmarks.processes import Program, StartError, start_python

HOST: Final = "127.0.0.1"
KEY: Final = "k" * 40
MOST_MS: Final = 500
END_SECONDS: Final = 60.0
AFTER_SECONDS: Final = 3.0
"""How long the picture is watched after the last replacement."""

PLAYS: Final = """() => {
  const video = [...document.querySelectorAll('video')].find((v) => v.videoWidth > 0);
  return video !== undefined && !video.paused && video.getVideoPlaybackQuality().totalVideoFrames > 30;
}"""

WATCH: Final = """() => {
  const frames = () => [...document.querySelectorAll('video')]
    .map((v) => v.getVideoPlaybackQuality().totalVideoFrames).reduce((a, b) => a + b, 0);
  const seen = { frames: frames(), at: performance.now(), longest: 0, step: '', during: '' };
  window.stalls = seen;
  setInterval(() => {
    const [now, count] = [performance.now(), frames()];
    if (count !== seen.frames) {
      seen.frames = count;
      if (now - seen.at > seen.longest) {
        [seen.longest, seen.during] = [now - seen.at, seen.step];
      }
      seen.at = now;
    }
  }, 10);
}"""

LONGEST: Final = "() => Math.max(window.stalls.longest, performance.now() - window.stalls.at)"

NGINX: Final = """
worker_processes 1;
worker_shutdown_timeout 1s;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  upstream routers { server 127.0.0.1:%d; server 127.0.0.1:%d; }
  server {
    listen 127.0.0.1:%d;
    location / {
      proxy_pass http://routers;
      proxy_http_version 1.1;
      proxy_next_upstream error timeout http_503;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $http_host;
      proxy_read_timeout 1h;
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of one run."""

    stall_ms: float
    disconnected: int
    """Messages `playerDisconnected` to the streamer."""
    connected: int
    """Messages `playerConnected` to the streamer: 1 unless the page negotiated anew."""
    resumed: int
    during: str
    """The last step that had begun when the longest stall ended."""

    def missed(self) -> list[str]:
        """Return the goals that this run misses."""
        found = []
        if self.stall_ms > MOST_MS:
            found.append(f"the picture stalled for {self.stall_ms:.0f} ms, the goal is {MOST_MS} or less")
        if self.disconnected or self.connected != 1:
            found.append(f"the streamer got {self.connected} playerConnected, {self.disconnected} playerDisconnected")
        if not self.resumed:
            found.append("no session was resumed: the run proves nothing")
        return found


class Service:
    """A replaceable service at a fixed port."""

    def __init__(self, *arguments: str) -> None:
        self.port = free_port()
        self._arguments = ("pixelfleet_cli.cli", *arguments, "--log-format", "json", "--host", HOST)
        self._program: Program | None = None

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        ports = ("--port", str(self.port), "--metrics-port", "0")
        self._program = await start_python(*self._arguments, *ports, fact="port")
        await wait_until_ready(self.port)

    async def replace(self) -> None:
        """Stop it as an operator does, and start another process at the same port."""
        assert self._program is not None
        self._program.signal(signal.SIGTERM)
        async with asyncio.timeout(END_SECONDS):
            await self._program.process.wait()
        await self.end()
        await self.start()

    async def end(self) -> None:
        """Kill it if it runs."""
        if self._program is not None:
            await self._program.end()


@dataclass(frozen=True, slots=True)
class Fleet:
    """A running fleet."""

    routers: list[Service]
    matchmakers: list[Service]
    signals: Program
    nginx: asyncio.subprocess.Process
    port: int
    """That of nginx."""


@asynccontextmanager
async def fleet() -> AsyncIterator[Fleet]:
    """Run the fleet; raise StartError or TimeoutError."""
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(redis_folder())
        store = await redis(free_port(), folder)
        stack.push_async_callback(store.end)
        shared = ("--redis-url", f"redis://{HOST}:{store.facts['port']}", "--session-key", KEY)
        signals = await signalserver(*shared, "--require-session")
        stack.push_async_callback(signals.end)
        matchmakers = [Service("matchmaker", *shared, "--no-legacy-link") for _ in range(2)]
        urls = ",".join(f"ws://{HOST}:{each.port}" for each in matchmakers)
        routers = [
            Service("router", "--session-key", KEY, "--matchmaker", urls, "--trusted-proxies", "1") for _ in range(2)
        ]
        for each in (*matchmakers, *routers):
            stack.push_async_callback(each.end)
            await each.start()
        streamer = await start_streamer(signals.facts["streamers"])
        stack.push_async_callback(_end, streamer)
        nginx, port = await start_nginx(folder, [each.port for each in routers])
        stack.push_async_callback(_end, nginx)
        yield Fleet(routers, matchmakers, signals, nginx, port)


async def start_streamer(port: int) -> asyncio.subprocess.Process:
    """Start a test streamer."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pixelfleet_cli.cli", "streamer", "--url", f"ws://{HOST}:{port}"),
        *("--width", "640", "--height", "360", "--fps", "30", "--no-sound"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def start_nginx(folder: Path, routers: Sequence[int]) -> tuple[asyncio.subprocess.Process, int]:
    """Start nginx in front of two routers; return it and its port."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        raise StartError("nginx is not installed; scripts/install-parts installs it")
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX % (*routers, port), encoding="ascii")
    process = await asyncio.create_subprocess_exec(
        program, "-e", "stderr", "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"
    )
    return process, port


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program; nginx also ends its workers on SIGTERM."""
    if process.returncode is None:
        process.terminate()
    await process.wait()


async def total(port: int, name: str, labels: str = "") -> int:
    """Return the sum of a metric's series whose labels contain a text."""
    async with aiohttp.ClientSession() as session, session.get(f"http://{HOST}:{port}/metrics") as answer:
        found = re.findall(rf"^{name}(?:\{{([^}}]*)\}})? (\S+)$", await answer.text(), re.MULTILINE)
    return int(sum(float(value) for found_labels, value in found if labels in found_labels))


async def one_run(rounds: int, console: Console) -> Run:
    """Play while everything is replaced."""
    async with fleet() as running, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS)
        page = await browser.new_page()
        await page.goto(f"http://{HOST}:{running.port}/")
        await page.wait_for_function(PLAYS, timeout=1000 * END_SECONDS)
        await page.evaluate(WATCH)
        for number in range(rounds):
            with console.status("") as status:
                await replace_all(running, page, lambda what: status.update(f"round {number + 1}: {what}"))  # noqa: B023
        await asyncio.sleep(AFTER_SECONDS)
        longest = float(await page.evaluate(LONGEST))
        port = running.signals.facts["metrics"]
        sent = "signalserver_messages_sent_total"
        run = Run(
            longest,
            await total(port, sent, 'type="playerDisconnected"'),
            await total(port, sent, 'type="playerConnected"'),
            await total(port, "pixelfleet_sessions_resumed_total"),
            str(await page.evaluate("() => window.stalls.during")),
        )
        await browser.close()
        return run


async def replace_all(running: Fleet, page: Page, show: Callable[[str], object]) -> None:
    """Replace both routers, reload nginx, and replace both matchmakers."""
    for kind, services in (("router", running.routers), ("matchmaker", running.matchmakers)):
        for number, each in enumerate(services):
            await page.evaluate("(step) => { window.stalls.step = step; }", f"{kind} {number + 1}")
            show(f"{kind} {number + 1}; longest stall {float(await page.evaluate(LONGEST)):.0f} ms")
            await each.replace()
            await asyncio.sleep(1.0)
        if kind == "router":
            running.nginx.send_signal(signal.SIGHUP)
            await asyncio.sleep(AFTER_SECONDS)


def table(runs: Sequence[Run]) -> Table:
    """Return the figures as a table."""
    right = [Column(name, justify="right") for name in ("longest stall, ms", "resumed", "connected", "disconnected")]
    shown = Table("run", *right, "longest during", box=SIMPLE_HEAD)
    for number, run in enumerate(runs):
        counts = map(str, (run.resumed, run.connected, run.disconnected))
        shown.add_row(str(number + 1), f"{run.stall_ms:.0f}", *counts, run.during)
    return shown


async def measure(args: argparse.Namespace, console: Console) -> list[Run]:
    """Return the figures of all runs."""
    return [await one_run(args.rounds, console) for _ in range(args.runs)]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line("the longest stall of a picture while routers and matchmakers are replaced", rounds=2)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args(argv)
    console = Console()
    runs = measured("rolling", measure(args, console))
    console.print(table(runs))
    record("longest stall", max(run.stall_ms for run in runs), "ms")
    return verdict([each for run in runs for each in run.missed()], check=args.check)


if __name__ == "__main__":
    sys.exit(main())
