"""Runs the application as a child of the signalling server."""

import asyncio
import os
import shlex
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Final

import structlog

from signalserver.launcher import guard
from signalserver.launcher.output import OutputLines
from signalserver.launcher.parameters import variables_of, words_with

log = structlog.get_logger(__name__)

READ_BYTES: Final = 64 * 1024

KILL_SECONDS: Final = 5.0
"""The time that the guard has beyond the application's before it is killed itself."""

OUTPUT_SECONDS: Final = 1.0
"""The time in which the rest of the output is read."""

WITHHELD: Final = "PIXELFLEET_SIGNALSERVER_"
"""The application does not get variables with this prefix, because some are secrets."""

URL_VARIABLE: Final = "PIXELFLEET_STREAMER_URL"


def arguments_of(command: str, url: str) -> list[str]:
    """Return the words of a command line, with the streamer URL in place of `{url}`; no shell takes part."""
    return [word.replace("{url}", url) for word in shlex.split(command)]


def environment_of(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the application's environment: the server's without its settings, and the streamer URL."""
    kept = {name: value for name, value in environ.items() if not name.startswith(WITHHELD)}
    return {**kept, URL_VARIABLE: url}


class Command:
    """One application as a child process, over any number of starts."""

    def __init__(
        self,
        command: str,
        url: str,
        stop_seconds: float,
        session: Callable[[], str | None],
        *,
        allowed: Collection[str] = (),
        launch: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """The application has `stop_seconds` after SIGTERM. `session` returns the session id for lines of its log.

        `launch` returns the launch parameters of the next start; `allowed` are the names of all of them.
        """
        self._arguments = arguments_of(command, url)
        self._allowed = allowed
        self._launch = launch
        self._url = url
        self._stop_seconds = stop_seconds
        self._session = session
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the application under its guard, in a session of its own: a terminal signals only the server."""
        launch = self._launch()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-IS",
            str(Path(guard.__file__)),
            str(self._stop_seconds),
            *words_with(self._arguments, launch, self._allowed),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**environment_of(os.environ, self._url), **variables_of(launch)},
            start_new_session=True,
        )
        log.info("application started", program=self._arguments[0], process=self._process.pid, launch=launch)
        assert self._process.stdout is not None
        self._reader = asyncio.create_task(self._read(self._process.stdout))

    async def connected(self) -> None:
        """Do nothing: the process is known."""

    async def crashed(self) -> None:
        """Return when the application has ended; its guard has ended the children that it left."""
        assert self._process is not None
        await self._process.wait()
        await self._clean_up()

    async def end(self) -> None:
        """End the application: SIGTERM, and SIGKILL after its time."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._stop_seconds + KILL_SECONDS):
                await self._process.wait()
        await self._clean_up()

    async def close(self) -> None:
        """End the application with the server."""
        await self.end()

    async def _clean_up(self) -> None:
        """Kill the guard if it has not ended, which ends the application too, and read the rest of the output."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if self._reader is not None:
            # The pipe ends with its last holder, which may be outside the guard where there is no subreaper.
            await asyncio.wait({self._reader}, timeout=OUTPUT_SECONDS)
            self._reader.cancel()
            self._reader = None

    async def _read(self, stream: asyncio.StreamReader) -> None:
        """Log the application's output, line by line, until it ends."""
        lines = OutputLines(perf_counter())
        while data := await stream.read(READ_BYTES):
            self._log(lines, lines.feed(data, perf_counter()))
        self._log(lines, lines.finish(perf_counter()))

    def _log(self, output: OutputLines, lines: list[str]) -> None:
        session = self._session()
        for line in lines:
            log.info("application output", line=line, session=session)
        if lines and output.dropped:
            log.warning("application output dropped", lines=output.dropped, session=session)
            output.dropped = 0
