"""Samples of CPU time and memory: of this command, of services on this machine, and from metrics of others."""

import asyncio
import os
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from pixelfleet.net.http_client import body_within
from pixelfleet_cli.loadtest.core.metrics_text import resources_of
from pixelfleet_cli.loadtest.core.tally import Usage

OWN: Final = "this command"
PROC: Final = Path("/proc")
SERVICES: Final = frozenset({"router", "matchmaker", "signalserver", "turn-api", "streamer", "demo"})
PROGRAMS: Final = frozenset({"redis-server", "turnserver", "nginx", "haproxy", "caddy", "envoy", "traefik"})
MAX_PROCESSES: Final = 24
MAX_BODY_BYTES: Final = 4 * 1024 * 1024
GET_SECONDS: Final = 2.0
SHORTEST_SECONDS: Final = 0.25
"""In a shorter time the kernel's clock ticks of 10 ms would be too coarse."""

SEARCH_SECONDS: Final = 10.0
"""Local processes are searched anew after this time."""

Reading = tuple[float, int]
"""CPU seconds since the start of a process, and bytes of memory."""


class Watch:
    """Takes samples; each CPU percentage is that since the previous sample."""

    def __init__(self, *, local: bool, metrics: Iterable[str], proc: Path = PROC) -> None:
        self._local, self._metrics, self._proc = local, list(metrics), proc
        self._last: dict[str, tuple[float, float]] = {}
        self._found: dict[str, int] = {}
        self._searched = float("-inf")

    async def sample(self, http: aiohttp.ClientSession) -> dict[str, Usage]:
        """Return the resources of each process by its name; a process that does not answer is left out."""
        remote = await asyncio.gather(*(_metrics(http, url) for url in self._metrics))
        readings = await asyncio.to_thread(self._read_local)
        for url, reading in zip(self._metrics, remote, strict=True):
            if reading is not None:
                readings[urlsplit(url).netloc.rpartition("@")[2]] = reading
        return {name: usage for name, each in readings.items() if (usage := self._usage(name, *each)) is not None}

    def _usage(self, name: str, cpu: float, memory: int) -> Usage | None:
        now = time.monotonic()
        last = self._last.get(name)
        if last is not None and now - last[0] < SHORTEST_SECONDS:
            return None
        self._last[name] = (now, cpu)
        if last is None or cpu < last[1]:
            return None
        return Usage(100 * (cpu - last[1]) / (now - last[0]), memory)

    def _read_local(self) -> dict[str, Reading]:
        now = time.monotonic()
        if self._local and now - self._searched >= SEARCH_SECONDS:
            self._searched = now
            self._found = processes(self._proc)
        found = {OWN: os.getpid(), **self._found}
        return {name: each for name, pid in found.items() if (each := reading(self._proc, pid)) is not None}


def processes(proc: Path) -> dict[str, int]:
    """Return the services and their usual companions on this machine: process ids by names."""
    found: dict[str, int] = {}
    try:
        pids = sorted(int(each.name) for each in proc.iterdir() if each.name.isdigit())
    except OSError:  # only Linux has /proc
        return found
    for pid in pids:
        try:
            words = (proc / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        name = name_of(words)
        if name and pid != os.getpid() and len(found) < MAX_PROCESSES:
            found[f"{name} {pid}"] = pid
    return found


def name_of(words: list[str]) -> str:
    """Return the name of a service from its command line; empty for another program."""
    program = os.path.basename(words[0].split(" ")[0].rstrip(":"))  # noqa: PTH119 - a word, maybe no path
    if program in PROGRAMS:
        return program
    for word, following in pairwise(words):
        if (word.endswith("/pixelfleet") or word in ("pixelfleet", "pixelfleet_cli.cli")) and following in SERVICES:
            return following
    return ""


def reading(proc: Path, pid: int) -> Reading | None:
    """Return the resources of a local process; None if it has ended."""
    try:
        fields = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        pages = int((proc / str(pid) / "statm").read_text(encoding="ascii").split()[1])
        ticks = int(fields[11]) + int(fields[12])
    except (OSError, IndexError, ValueError):
        return None
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE")


async def _metrics(http: aiohttp.ClientSession, url: str) -> Reading | None:
    try:
        async with http.get(url, allow_redirects=False) as response:
            body = await body_within(response, MAX_BODY_BYTES)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None
    return resources_of(body.decode("utf-8", "replace")) if body is not None and response.status == 200 else None
