"""Requirements of tests on the machine: programs, free ports, and waiting for other processes."""

import asyncio
import inspect
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Any, Final, NoReturn, TypeVar, overload

import pytest

T = TypeVar("T")

_OTHER_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "chromium": ("chromium-browser", "google-chrome", "google-chrome-stable")
}
PATIENCE_SECONDS: Final = 60.0
"""The time limit of waiting for an event.

It is the upper limit for a machine that is busy with other work. No passing test waits this
long, and none asserts a duration with it.
"""
_POLL_SECONDS: Final = 0.02

SIGNALSERVER_ON_FREE_PORTS: Final[dict[str, Any]] = {
    "host": "127.0.0.1",
    "player_port": 0,
    "streamer_port": 0,
    "sfu_port": 0,
    "metrics_port": 0,
}
"""Settings of a signalling server that listens on free ports of the loopback interface."""


def require_part(name: str) -> str:
    """Return the path of a program that scripts/install-parts installs; without it end as `missing_part` does."""
    found = filter(None, map(shutil.which, (name, *_OTHER_NAMES.get(name, ()))))
    return next(found, None) or missing_part(f"{name} is not on PATH; scripts/install-parts installs it")


def missing_part(reason: str) -> NoReturn:
    """Skip the test with this reason; with CI=true fail it, so that no test is skipped unnoticed."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_ports(count: int) -> list[int]:
    """Return distinct TCP ports of 127.0.0.1 that are free at the moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free at the moment.

    For programs that need a fixed port. Our services listen on port 0 and report the port that they got.
    """
    return free_ports(1)[0]


@asynccontextmanager
async def program(*arguments: str, **options: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program while the body runs; then kill it and its children, also when the body raises.

    Its stdin is empty and its stdout is a pipe, unless `options` (of asyncio's create_subprocess_exec) differ.
    """
    pipes = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*arguments, **{**pipes, **options}, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # it and its children have ended
            os.killpg(process.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.communicate()


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]],
    what: str,
    *,
    within: float = ...,
    tolerating: tuple[type[Exception], ...] = ...,
) -> T: ...


@overload
async def eventually(
    condition: Callable[[], T],
    what: str,
    *,
    within: float = ...,
    tolerating: tuple[type[Exception], ...] = ...,
) -> T: ...


async def eventually(
    condition: Callable[[], object],
    what: str,
    *,
    within: float = PATIENCE_SECONDS,
    tolerating: tuple[type[Exception], ...] = (),
) -> object:
    """Evaluate a condition, plain or async, until its result is truthy, and return that.

    For state of another process; inside one process await the event itself. `what` describes the condition in a few
    words, `within` is in seconds, and errors of the `tolerating` types (a connection refused while a program starts)
    count as a falsy result. The test fails after `within` seconds.
    """
    last: object = "no answer"
    try:
        async with asyncio.timeout(within):
            while True:
                try:
                    answer = condition()
                    last = await answer if inspect.isawaitable(answer) else answer
                except tolerating as error:
                    last = error
                else:
                    if last:
                        return last
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        pytest.fail(f"not within {within:g} s: {what} (last: {last!r})")
