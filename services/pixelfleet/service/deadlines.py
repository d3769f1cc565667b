"""Things that may all take equally long, on one timer: one for each would cost more than most of them take."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One of something for each event loop: made when it is first asked for, and dropped after the end of its loop.

    What is made may hold its loop, so that weak references to loops would keep all of them.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        """`make` is called in the loop that it is for."""
        self._make = make
        self._made: dict[asyncio.AbstractEventLoop, T] = {}

    def of(self, loop: asyncio.AbstractEventLoop) -> T:
        """Return that of a loop, which must be the running one."""
        made = self._made.get(loop)
        if made is None:
            for ended in [each for each in list(self._made) if each.is_closed()]:
                self._made.pop(ended, None)
            made = self._made[loop] = self._make()
        return made


class Deadlines(Generic[T]):
    """Calls back for each that is still there when its time is over, the first one first."""

    def __init__(self, seconds: float, expired: Callable[[T], None]) -> None:
        """Give each of them so many seconds."""
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
        """Begin to count for one that is not there yet."""
        self._until[item] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look)

    def discard(self, item: T) -> None:
        """Count no more for one: it has come to its end in time."""
        self._until.pop(item, None)

    def stop(self) -> list[T]:
        """Count no more for anything; return what was left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        left, self._until = list(self._until), {}
        return left

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        over = []
        for item, until in self._until.items():
            if until > now:
                self._timer = self._loop.call_at(until, self._look)
                break
            over.append(item)
        for item in over:
            if self._until.pop(item, None) is not None:
                self._expired(item)


class TimeLimit:
    """Bounds how long tasks may be in a `with` block: what `asyncio.timeout` does, for many at once.

    A task is in one block of it at a time. Raises TimeoutError.
    """

    def __init__(self, seconds: float) -> None:
        """Give each of them so many seconds."""
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
            # Somebody else may have cancelled it as well: then it is for them to hear of it.
            if task.uncancel() == 0 and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._late.add(task)
        task.cancel()
