import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from pixelfleet.service import lifecycle as service
from pixelfleet.service.lifecycle import Tasks, background, run, serve, stop_on_signals
from tests.parts import PATIENCE_SECONDS


@dataclass
class Running:
    """A service that records its events."""

    events: list[str] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def service(self) -> AsyncIterator[object]:
        self.events.append("start")
        try:
            self.started.set()
            yield object()
        finally:
            self.events.append("stop")


@dataclass
class Draining(Running):
    """A service with a drain."""

    finish: asyncio.Event = field(default_factory=asyncio.Event)
    drains: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def service(self) -> AsyncIterator[object]:
        async with super().service():
            yield self

    async def drain(self) -> None:
        self.events.append("drain")
        self.drains.set()
        await self.finish.wait()
        self.events.append("drained")


# -- serve ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_a_service(number: signal.Signals) -> None:
    running = Running()
    serving = asyncio.create_task(serve(running.service()))
    await running.started.wait()
    os.kill(os.getpid(), number)
    assert await serving == 0
    assert running.events == ["start", "stop"]


async def test_a_service_is_drained_before_it_stops() -> None:
    draining = Draining()
    serving = asyncio.create_task(serve(draining.service()))
    await draining.started.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await draining.drains.wait()
    assert not serving.done()
    draining.finish.set()
    assert await serving == 0
    assert draining.events == ["start", "drain", "drained", "stop"]


async def test_the_second_signal_interrupts_a_drain() -> None:
    draining = Draining()
    serving = asyncio.create_task(serve(draining.service()))
    await draining.started.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await draining.drains.wait()
    with capture_logs() as logs:
        os.kill(os.getpid(), signal.SIGINT)
        assert await serving == 1
    assert draining.events == ["start", "drain", "stop"]
    assert [(each["event"], each["signal"]) for each in logs] == [("stopping immediately", "SIGINT")]


async def test_an_error_at_the_start_propagates() -> None:
    class Unlucky:
        async def __aenter__(self) -> object:
            raise OSError("no room")

        async def __aexit__(self, *_: object) -> None:
            raise AssertionError("it was never entered")

    with pytest.raises(OSError, match="no room"):
        await serve(Unlucky())


async def test_one_signal_sets_the_event_and_cancels_nothing() -> None:
    stop = stop_on_signals()
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await stop.wait()


def test_run_returns_the_exit_code() -> None:
    async def main() -> int:
        assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        return 7

    assert run(main()) == 7


# -- background -------------------------------------------------------------------------------------


async def test_background_tasks_end_with_the_body() -> None:
    ended: list[str] = []

    async def task(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async with background(task("a"), task("b")):
        await asyncio.sleep(0)
        assert ended == []
    assert sorted(ended) == ["a", "b"]


async def test_an_error_in_the_background_ends_the_body() -> None:
    async def task() -> None:
        raise ValueError("broken")

    with pytest.RaisesGroup(pytest.RaisesExc(ValueError, match="broken")):
        async with background(task()):
            await asyncio.Event().wait()


async def test_an_error_in_the_body_ends_the_tasks_and_propagates_unchanged() -> None:
    ended = asyncio.Event()

    async def task() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def body() -> None:
        async with background(task()):
            await asyncio.sleep(0)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await body()
    assert ended.is_set()


# -- tasks ------------------------------------------------------------------------------------------


async def test_no_task_outlives_its_owner() -> None:
    events: list[str] = []

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            events.append(name)

    async with Tasks() as tasks:
        tasks.spawn(work("a"))
        tasks.spawn(work("b"))
        await asyncio.sleep(0)
    assert sorted(events) == ["a", "b"]


async def test_a_task_can_be_cancelled() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Tasks() as tasks:
        cancel = tasks.spawn(work())
        await asyncio.sleep(0)
        cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await ended.wait()
        cancel()


async def test_a_failed_task_is_logged_and_does_not_affect_others() -> None:
    done = asyncio.Event()

    async def fails() -> None:
        raise ValueError("broken")

    async def works() -> None:
        await asyncio.sleep(0)
        done.set()

    with capture_logs() as logs:
        async with Tasks() as tasks:
            tasks.spawn(fails())
            tasks.spawn(works())
            async with asyncio.timeout(PATIENCE_SECONDS):
                await done.wait()
    assert [(each["event"], str(each["exc_info"])) for each in logs] == [("background task failed", "broken")]


async def test_the_wait_for_cancelled_tasks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "STOP_SECONDS", 0.05)
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async with asyncio.timeout(PATIENCE_SECONDS):
        async with Tasks() as tasks:
            tasks.spawn(stubborn())
            await asyncio.sleep(0)
    release.set()
    await asyncio.sleep(0)
