"""Writes log lines in a thread of its own: a write that blocks or fails must not affect the event loop."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from select import select
from typing import Any, Final, Protocol

MAX_PENDING_BYTES: Final = 4 * 1024 * 1024
"""The total size of the lines that wait for the stream. Further lines are dropped and counted."""

RETRY_SECONDS: Final = 0.1
"""The time between two attempts to write to a stream that does not block and is full."""

GATHER_SECONDS: Final = 0.05
"""The time in which the thread gathers further lines before it writes. To wake it for each line would cost a busy
service more CPU time than the lines themselves."""


class TextStream(Protocol):
    """A text stream with a binary buffer, such as `sys.stderr`."""

    @property
    def buffer(self) -> Any:
        """The binary buffer."""


class _Dropped:
    """The number of lines that this process has dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.lines = 0

    def add(self, lines: int) -> None:
        with self._lock:
            self.lines += lines


_DROPPED = _Dropped()


def dropped_lines() -> int:
    """Return the number of log lines that this process has dropped."""
    return _DROPPED.lines


def drop(lines: int = 1) -> None:
    """Count lines that are not written."""
    _DROPPED.add(lines)


class LogWriter:
    """Writes lines to a stream, in order. No method except `wait` and `close` blocks, and none raises an error."""

    def __init__(self, stream: TextStream | None) -> None:
        """Without a stream, as when standard error was closed at the start, all lines are dropped."""
        # The buffered layer holds a lock while it writes, and repeats a failed write: neither is wanted.
        self._raw: Any = None if stream is None else getattr(stream.buffer, "raw", stream.buffer)
        self._lines: list[bytes] = []
        self._pending_bytes = 0
        self._closed = False
        # A reentrant lock: the garbage collector may run a destructor that logs while this thread holds it.
        self._changed = threading.Condition(threading.RLock())
        self._urgent = threading.Event()
        """Set while someone waits for the lines."""
        self._thread: threading.Thread | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines soon; each gets its line break here."""
        if self._raw is None:
            drop(len(lines))
            return
        with self._changed:
            for line in lines:
                size = len(line) + 1
                if self._closed or self._pending_bytes + size > MAX_PENDING_BYTES:
                    drop()
                else:
                    self._pending_bytes += size
                    self._lines.append(line)
            if self._thread is None:
                self._start()
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait until all lines are written or dropped; return False if that takes longer than `seconds`."""
        self._urgent.set()
        with self._changed:
            written = self._changed.wait_for(lambda: not self._pending_bytes, seconds)
            if not self._closed:
                self._urgent.clear()
        return written

    def close(self, seconds: float) -> bool:
        """Write no further lines, and wait as `wait` does."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        return self.wait(seconds)

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        with suppress(RuntimeError):  # the interpreter shuts down
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closed)
            self._urgent.wait(GATHER_SECONDS)
            with self._changed:
                lines, self._lines = self._lines, []
            if not lines:
                return
            data = b"\n".join([*lines, b""])
            written = self._write(data)
            if written < len(data):
                drop(sum(end > written for end in accumulate(len(line) + 1 for line in lines)))
            with self._changed:
                self._pending_bytes -= len(data)
                self._changed.notify_all()

    def _write(self, data: bytes) -> int:
        """Write as much as is possible; return the number of bytes."""
        written = 0
        view = memoryview(data)
        # OSError: the reader is gone, or the device is full. ValueError: the stream is closed.
        with suppress(OSError, ValueError):
            while written < len(data):
                count = self._raw.write(view[written:])
                if count is None:  # the stream does not block, and is full
                    select([], [], [], RETRY_SECONDS)
                else:
                    written += count
        return written
