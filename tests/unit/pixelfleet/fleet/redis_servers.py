"""Real redis-servers for the tests of the store, each on a free port and without persistence."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from tests.parts import free_port, require_part

READY: Final = ("Ready to accept connections", "+monitor master")
"""Log lines of a server, or of a Sentinel, that is ready."""


async def ask(url: str, *words: str | int) -> Any:
    """Run one command on a server."""
    async with Redis.from_url(url) as redis:
        return await redis.execute_command(*words)  # type: ignore[no-untyped-call]


class RedisServer:
    """One redis-server, or a Sentinel, which is the same program."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        self.port = free_port() if port is None else port
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [require_part("redis-server")]
        if "--sentinel" in self._options:
            command += self._options
        else:
            command += ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
            command += ["--port", "0", "--tls-port"] if "--tls-cert-file" in self._options else ["--port"]
            command += [str(self.port), *self._options]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if any(sign in line for sign in READY):
                return
        self._process.communicate()
        self._process = None
        raise AssertionError(f"redis-server did not start: {''.join(lines)}")

    def freeze(self, *, on: bool) -> None:
        """Suspend the process, or resume it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self.kill()


@contextmanager
def redis_server(folder: Path, *options: str, port: int | None = None) -> Iterator[RedisServer]:
    server = RedisServer(folder, *options, port=port)
    try:
        yield server
    finally:
        server.stop()
