"""Fixtures of all tests: the event loop is the production one, and the services' code must not block it."""

import asyncio
import faulthandler
import functools
import inspect
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import blockbuster
import pytest
from blockbuster import BlockingError, blockbuster_ctx
from hypothesis import HealthCheck, settings

from pixelfleet.net.openapi import Contract
from tests.contracts import Watch

# The duration of an example depends on the machine more than on the code. Examples are random, except in CI, where
# one commit must have one result.
settings.register_profile(
    "pixelfleet",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("pixelfleet")

STDERR = pytest.StashKey[int]()
SERVICES = Path(__file__).parent.parent / "services"
PACKAGES = sorted(init.parent.name for init in SERVICES.glob("*/__init__.py"))


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run async tests on uvloop wherever the services do."""
    if sys.platform == "win32":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Limit the time of async tests: pytest-timeout raises in a callback of uvloop, which logs the exception."""
    if not isinstance(item, pytest.Function):
        return
    # Earlier than the signal, which could otherwise interrupt the callback that ends the test.
    seconds = 0.5 * float(item.config.getini("timeout"))
    of_hypothesis = getattr(item.obj, "hypothesis", None)
    if of_hypothesis is not None and inspect.iscoroutinefunction(of_hypothesis.inner_test):
        of_hypothesis.inner_test = _in_time(of_hypothesis.inner_test, seconds)
    elif inspect.iscoroutinefunction(item.obj):
        item.obj = _in_time(item.obj, seconds)


def _in_time(test: Callable[..., Awaitable[None]], seconds: float) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def bounded(*arguments: Any, **fixtures: Any) -> None:
        timeout = asyncio.timeout(seconds)
        try:
            async with timeout:
                await test(*arguments, **fixtures)
        except TimeoutError as error:
            if timeout.expired():
                raise AssertionError(f"the test took more than {seconds:g} s") from error
            raise

    return bounded


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real stderr, which each test's capture replaces."""
    config.stash[STDERR] = os.dup(2)


def pytest_unconfigure(config: pytest.Config) -> None:
    os.close(config.stash[STDERR])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """End the run, with the stacks of all threads, when a test's teardown exceeds the time limit of a test.

    A test that timed out may leave tasks that do not end when they are cancelled, and the teardown waits for them.
    pytest's own watchdog (faulthandler_timeout) ends with the test and does not cover this.
    """
    seconds = float(item.config.getini("faulthandler_timeout") or 0)
    if seconds > 0:
        faulthandler.dump_traceback_later(seconds, file=item.config.stash[STDERR], exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture(autouse=True)
def blocked_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fail a test in which a module of services/ blocks the event loop.

    The call raises at once. It is also recorded here, where each entry is the stack of one call: servers turn an
    exception in a handler into a response and tasks store theirs, so the test could otherwise pass.
    """
    calls: list[str] = []

    class RecordedBlockingError(BlockingError):
        def __init__(self, func: str) -> None:
            super().__init__(func)
            calls.append("".join(traceback.format_stack(limit=12)))

    monkeypatch.setattr(blockbuster.blockbuster, "BlockingError", RecordedBlockingError)
    with blockbuster_ctx(PACKAGES) as watched:
        for kind in ("BufferedWriter", "TextIOWrapper"):
            # Logging may write to stderr. The watch exempts only the current stderr: it would take an earlier test's
            # capture for a file when asyncio logs an exception that was never retrieved, at any time.
            watched.functions[f"io.{kind}.write"].can_block_in("logging/__init__.py", "emit")
        # asyncio's Runner waits for its threads after the program has ended.
        watched.functions["threading.Lock.acquire"].can_block_in("asyncio/runners.py", "close")
        # aiortc waits for the thread that decodes a player's microphone or camera when the connection is closed.
        watched.functions["threading.Lock.acquire"].can_block_in("aiortc/rtcrtpreceiver.py", "__stop_decoder")
        yield calls
    if calls:
        pytest.fail("the event loop was blocked:\n" + "\n".join(calls))


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Fail a test in which a service sends an HTTP response that its OpenAPI document does not describe."""
    watch = Watch()
    monkeypatch.setattr(Contract, "add_to", watch.over(Contract.add_to))
    yield watch
    if watch.problems:
        pytest.fail("responses that no document describes:\n" + "\n".join(watch.problems))
