"""Deadlines of equal duration on a single timer; a timer for each item would be more expensive."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One object for each event loop, created on first use and dropped after its loop is closed.

    Weak references to loops would not work: the object may itself refer to its loop.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        """`make` creates the object and is called in its loop."""
        self._make = make
        self._made: dict[asyncio.AbstractEventLoop, T] = {}

    def of(self, loop: asyncio.AbstractEventLoop) -> T:
        """Return the object of a loop, which must be the running one."""
        made = self._made.get(loop)
        if made is None:
            for closed in [each for each in list(self._made) if each.is_closed()]:
                self._made.pop(closed, None)
            made = self._made[loop] = self._make()
        return made


class Deadlines(Generic[T]):
    """Calls back for each item that is still present after a fixed time, in order."""

    def __init__(self, seconds: float, expired: Callable[[T], None]) -> None:
        """Call `expired` with an item `seconds` after its `add`."""
        self._seconds = seconds
        self._expired = expired
        self._until: dict[T, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __contains__(self, item: T) -> bool:
        return item in self._until

    def __len__(self) -> int:
        return len(self._until)

    def add(self, item: T) -> None:
        """Start the deadline of an item that is not present yet."""
        self._until[item] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._expire)

    def discard(self, item: T) -> None:
        """Cancel the deadline of an item."""
        self._until.pop(item, None)

    def stop(self) -> list[T]:
        """Cancel all deadlines; return their items."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        items, self._until = list(self._until), {}
        return items

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        expired = []
        for item, until in self._until.items():
            if until > now:
                self._timer = self._loop.call_at(until, self._expire)
                break
            expired.append(item)
        for item in expired:
            if self._until.pop(item, None) is not None:
                self._expired(item)


class TimeLimit:
    """A time limit for `with` blocks: `asyncio.timeout` on a shared timer.

    A task may be in one block of a limit at a time. Raises TimeoutError.
    """

    def __init__(self, seconds: float) -> None:
        """Limit each block to `seconds`."""
        self._tasks: Deadlines[asyncio.Task[Any]] = Deadlines(seconds, self._end)
        self._late: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.discard(task)
        if task in self._late:
            self._late.discard(task)
            # A second cancellation from elsewhere must propagate as CancelledError.
            if task.uncancel() == 0 and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._late.add(task)
        task.cancel()
