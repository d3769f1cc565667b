"""Sources of TURN servers: the settings, or a file."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import structlog

from pixelfleet.service.errors import UsageError
from turnapi.ice import Server, parse_servers

MAX_FILE_BYTES: Final = 1024 * 1024

log = structlog.get_logger(__name__)


class Source(Protocol):
    """A source of TURN servers."""

    @property
    def servers(self) -> tuple[Server, ...]:
        """The servers of the last successful update."""

    @property
    def failures(self) -> int:
        """The number of failed updates."""

    @property
    def last_success(self) -> float | None:
        """Unix time of the last successful update; None before the first."""

    def missing(self) -> str:
        """Return why there is no server; meaningful only without servers."""

    async def run(self) -> None:
        """Keep the servers current until cancelled."""


class StaticServers:
    """The servers in the settings."""

    def __init__(self, servers: tuple[Server, ...]) -> None:
        self.servers = servers
        self.failures = 0
        self.last_success: float | None = time.time()

    def missing(self) -> str:
        """Return an empty text: there is always a server."""
        return ""

    async def run(self) -> None:
        """Return immediately: the servers do not change."""


class ServersFile:
    """A JSON file with a list of servers, read again when its content changes.

    The content is compared instead of the modification time: a mounted ConfigMap is replaced through a symbolic link.
    """

    def __init__(self, path: Path, reread_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._reread_seconds = reread_seconds
        self._clock = clock
        self._content = b""
        self._error = ""
        self.servers: tuple[Server, ...] = ()
        self.failures = 0
        self.last_success: float | None = None

    def missing(self) -> str:
        """Return the error of the file."""
        return self._error or "the file has no TURN server"

    async def load(self) -> None:
        """Read the file for the first time; raise UsageError when it is unreadable or invalid."""
        await self.refresh()
        if self._error:
            raise UsageError(f"--servers-file {self._path}: {self._error}")

    async def run(self) -> None:
        """Read the file periodically until cancelled."""
        while True:
            await asyncio.sleep(self._reread_seconds)
            await self.refresh()

    async def refresh(self) -> None:
        """Update the servers from the file; on an error keep them, and log a new error once."""
        try:
            text = await asyncio.to_thread(_read, self._path)
            if text != self._content or self._error:
                self._update(parse_servers(_list_in(text)), text)
        except (OSError, ValueError) as error:
            self._failed(str(getattr(error, "strerror", None) or error))
        else:
            self.last_success = self._clock()

    def _update(self, servers: tuple[Server, ...], text: bytes) -> None:
        if self._content or self._error:
            log.info("servers file loaded", file=str(self._path), servers=len(servers))
        self.servers, self._content, self._error = servers, text, ""

    def _failed(self, why: str) -> None:
        self.failures += 1
        if why != self._error and self.last_success is not None:
            log.warning("servers file invalid; using the last servers", file=str(self._path), why=why)
        self._error = why


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        text = file.read(MAX_FILE_BYTES + 1)
    if len(text) > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES} bytes")
    return text


def _list_in(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
