"""Ends the application in another container of the pod, which Kubernetes then starts again.

The containers share the namespace of processes (`shareProcessNamespace`), and the application and the signalling server
have the same user. Linux only.
"""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from signalserver.launcher.means import EndError

log = structlog.get_logger(__name__)

PROC: Final = Path("/proc")

COMM_LENGTH: Final = 15
"""Linux cuts the name of a process off after this many bytes."""


def processes_named(name: str, folder: Path = PROC) -> list[int]:
    """Return the ids of the processes whose program has this file name, or the cut-off name that Linux shows."""
    found = []
    for entry in folder.iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):  # The process has ended.
            words = (entry / "cmdline").read_bytes().split(b"\0")
            program = os.fsdecode(words[0]).rpartition("/")[2]
            shown = (entry / "comm").read_text("utf-8", "replace").rstrip("\n")
            if words[0] and (program == name or shown == name[:COMM_LENGTH]):
                found.append(int(entry.name))
    return found


class Signals:
    """The processes of an application that others start."""

    def __init__(self, name: str, stop_seconds: float) -> None:
        """`name` is the file name of the application's program; it has `stop_seconds` after SIGTERM."""
        self._name = name
        self._stop_seconds = stop_seconds
        self._known: dict[int, int] = {}
        """File descriptors of the present processes by their ids: an id may be used again, a descriptor is exact."""

    async def start(self) -> None:
        """Do nothing: Kubernetes starts the application."""

    async def connected(self) -> None:
        """Remember the present processes: they are the ones that `end` ends."""
        for process in await asyncio.to_thread(processes_named, self._name):
            if process not in self._known:
                with suppress(ProcessLookupError):
                    self._known[process] = os.pidfd_open(process)

    async def crashed(self) -> None:
        """Never return: a crash shows by the end of the streamer's connection, and Kubernetes reacts to it."""
        await asyncio.Event().wait()

    async def end(self) -> None:
        """End the processes that were present when the streamer connected."""
        if not self._known:
            await self.connected()
        if not self._known:
            raise EndError(f"no process is named {self._name}")
        self._send(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._stop_seconds):
                await self._gone()
        if self._known:
            log.warning("application killed: it did not end in time", name=self._name, seconds=self._stop_seconds)
            self._send(signal.SIGKILL)
            await self._gone()

    async def close(self) -> None:
        """Forget the processes: the pod ends them."""
        for descriptor in self._known.values():
            os.close(descriptor)
        self._known.clear()

    def _send(self, number: signal.Signals) -> None:
        for descriptor in self._known.values():
            try:
                signal.pidfd_send_signal(descriptor, number)
            except ProcessLookupError:
                continue
            except OSError as error:
                raise EndError(f"{self._name} cannot be signalled: {error.strerror}") from None

    async def _gone(self) -> None:
        """Wait until every known process has ended, and forget it."""
        loop = asyncio.get_running_loop()
        for process, descriptor in list(self._known.items()):
            ended = asyncio.Event()
            loop.add_reader(descriptor, ended.set)  # A process descriptor is readable from the process's end on.
            try:
                await ended.wait()
            finally:
                loop.remove_reader(descriptor)
            os.close(descriptor)
            del self._known[process]
