"""Running services: the event loop, the signals, and an end that takes bounded time."""

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
"""How long a service's orderly stop may take before the process ends all the same."""

COLLECT_EVERY: Final = 10_000
"""Objects made and not yet freed, after which the collector looks for cycles among the young: a connection leaves a few
hundred, and looking after every second one (Python's 700) is a twentieth of what a player costs."""

log = structlog.get_logger(__name__)


class Draining(Protocol):
    """A service that can let its peers finish before it ends."""

    async def drain(self) -> None:
        """Take no new work and return when the last peer has left or the grace period is over."""


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine on the fastest loop there is; return its exit code."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


def stop_on_signals() -> asyncio.Event:
    """Return an event that the first SIGINT or SIGTERM sets; the second ends the main task at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()
    assert main is not None

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            log.warning("ending at once", signal=number.name)
            main.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    return stop


@asynccontextmanager
async def background(*tasks: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines beside the body and cancel them after it; one that fails ends the body with its error."""
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
        # What the body raised goes on as it was: a group round it would hide it from who expects it.
        if isinstance(body_error, Exception):
            raise body_error from None
        raise


class Tasks:
    """Owns tasks that come and go, such as dials: none outlives it, and a failure is logged and costs no other."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Run a coroutine in the background; return what cancels it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task.cancel

    async def __aenter__(self) -> "Tasks":
        """Own tasks from here on."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel what still runs and wait for it."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a background task failed", exc_info=error)


async def serve(service: AbstractAsyncContextManager[object]) -> int:
    """Run a service until it is told to stop, let it drain if it can, and return the exit code."""
    stop = stop_on_signals()
    try:
        async with service as running:
            _leave_to_collector_what_comes()
            await stop.wait()
            log.info("stopping")
            drain = getattr(running, "drain", None)
            if drain is not None:
                await drain()
    except asyncio.CancelledError:
        return 1
    return 0


def _leave_to_collector_what_comes() -> None:
    """Have the garbage collector look at what is made from here on: what was made at the start stays for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
