"""The lifecycle of a service: event loop, signals, background tasks, and a bounded shutdown."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol

import structlog

try:
    import uvloop

    new_event_loop: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
except ImportError:  # uvloop has no build for Windows
    new_event_loop = None

STOP_SECONDS: Final = 10.0
"""The maximum time to wait for cancelled tasks."""

COLLECT_EVERY: Final = 10_000
"""The threshold of the youngest generation of the garbage collector. A connection allocates a few hundred objects, and
with Python's default of 700 the collector takes a twentieth of the CPU time of a player."""

log = structlog.get_logger(__name__)


class Draining(Protocol):
    """A service with a drain."""

    async def drain(self) -> None:
        """Accept no new work; return when the last peer has left or the grace period is over."""


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine, on uvloop where it is installed; return its exit code."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


def stop_on_signals() -> asyncio.Event:
    """Return an event that the first SIGINT or SIGTERM sets; the second cancels the main task."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()
    assert main is not None

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            log.warning("stopping immediately", signal=number.name)
            main.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    return stop


@asynccontextmanager
async def background(*tasks: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines concurrently with the body and cancel them after it; a failure cancels the body."""
    body_error: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(task) for task in tasks]
            try:
                yield
            except BaseException as error:
                body_error = error
                raise
            finally:
                for task in running:
                    task.cancel()
    except BaseExceptionGroup:
        # An error of the body propagates without the group, so that callers can catch it by its type.
        if isinstance(body_error, Exception):
            raise body_error from None
        raise


class Tasks:
    """Owns short-lived tasks, such as dials: none outlives it; a failure is logged and does not affect the others."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Run a coroutine in the background; return a function that cancels it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task.cancel

    async def __aenter__(self) -> "Tasks":
        """Return the owner."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel the running tasks and wait for them, at most STOP_SECONDS."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background task failed", exc_info=error)


async def serve(service: AbstractAsyncContextManager[object]) -> int:
    """Run a service until a signal, drain it if it has a drain, and return the exit code."""
    stop = stop_on_signals()
    try:
        async with service as running:
            _exempt_startup_objects_from_collection()
            await stop.wait()
            log.info("stopping")
            drain = getattr(running, "drain", None)
            if drain is not None:
                await drain()
    except asyncio.CancelledError:
        return 1
    return 0


def _exempt_startup_objects_from_collection() -> None:
    """Exclude the present objects, which live until the end, from garbage collection, and raise its threshold."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
