import asyncio
import errno
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pixelfleet.service import log_writer
from pixelfleet.service.log_writer import LogWriter
from tests.parts import PATIENCE_SECONDS, program

STYLES = ("console", "json")
KINDS = ("no stderr", "no reader", "full device", "blocked pipe", "full pipe")

SERVICE = """
import asyncio, logging, sys
from contextlib import asynccontextmanager
import structlog
from pixelfleet.service import lifecycle, logs

LINES = 2000

class Service:
    async def drain(self):
        print("drained", flush=True)

@asynccontextmanager
async def running():
    log = structlog.get_logger("a.module")
    for number in range(LINES):
        log.info("player connected", number=number, text="x" * 100)
        log.warning("player refused", number=number, text="x" * 100)
        logging.getLogger("some.library").error("failed")
    await asyncio.sleep(0)
    print("serving", flush=True)
    yield Service()

logs.configure("info", sys.argv[1])
sys.exit(lifecycle.run(lifecycle.serve(running())))
"""


@contextmanager
def unusable_stderr(kind: str) -> Iterator[int]:
    """Yield a descriptor to which a process cannot write."""
    if kind == "full device":
        descriptor = os.open("/dev/full", os.O_WRONLY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        return
    reader, writer = os.pipe()
    try:
        if kind == "no reader":
            os.close(reader)
        elif kind != "no stderr":
            os.set_blocking(writer, False)
            size = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
            assert os.write(writer, b"x" * size) == size
            os.set_blocking(writer, kind == "blocked pipe")
        yield writer
    finally:
        os.close(writer)
        if kind != "no reader":
            os.close(reader)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("style", STYLES)
async def test_a_service_works_and_drains_without_a_usable_stderr(style: str, kind: str) -> None:
    command = [sys.executable, "-c", SERVICE, style]
    if kind == "no stderr":
        command = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    with unusable_stderr(kind) as stderr:
        async with program(*command, stderr=stderr) as service, asyncio.timeout(PATIENCE_SECONDS):
            assert service.stdout is not None
            assert await service.stdout.readline() == b"serving\n"
            service.send_signal(signal.SIGTERM)
            assert await service.stdout.readline() == b"drained\n"
            assert await service.wait() == 0


class Stream:
    """A stream whose writes return or raise the given results."""

    def __init__(self, *results: int | OSError | None) -> None:
        self.buffer = self
        self.results = list(results)
        self.written = b""

    def write(self, data: Any) -> int | None:
        result = self.results.pop(0) if self.results else len(data)
        if isinstance(result, OSError):
            raise result
        self.written += bytes(data[: result or 0])
        return result


def test_lines_are_written_in_order() -> None:
    stream = Stream()
    writer = LogWriter(stream)
    writer.write([b"one", b"two"])
    writer.write([b"three"])
    assert writer.close(PATIENCE_SECONDS)
    assert stream.written == b"one\ntwo\nthree\n"


def test_a_partial_write_is_continued() -> None:
    stream = Stream(2, None, 3)
    writer = LogWriter(stream)
    writer.write([b"one", b"two"])
    assert writer.close(PATIENCE_SECONDS)
    assert stream.written == b"one\ntwo\n"


def test_lines_that_cannot_be_written_are_counted() -> None:
    before = log_writer.dropped_lines()
    stream = Stream(5, OSError(errno.ENOSPC, "full"))
    writer = LogWriter(stream)
    writer.write([b"one", b"two", b"three"])
    assert writer.wait(PATIENCE_SECONDS)
    assert log_writer.dropped_lines() == before + 2, "the first line was written"
    writer.write([b"four"])
    assert writer.close(PATIENCE_SECONDS)
    assert stream.written.endswith(b"four\n"), "after an error later lines are written"


def test_lines_without_a_stream_are_counted() -> None:
    before = log_writer.dropped_lines()
    LogWriter(None).write([b"one", b"two"])
    assert log_writer.dropped_lines() == before + 2


def test_a_blocked_stream_bounds_the_pending_lines() -> None:
    before = log_writer.dropped_lines()
    reader, writing_end = os.pipe()
    with os.fdopen(reader, "rb"), os.fdopen(writing_end, "wb") as stream:
        size = fcntl.fcntl(writing_end, fcntl.F_GETPIPE_SZ)
        stream.write(b"x" * size)
        stream.flush()
        writer = LogWriter(type("Text", (), {"buffer": stream})())
        line = b"x" * 1023
        most = log_writer.MAX_PENDING_BYTES // 1024
        writer.write([line] * (most + 10))
        assert log_writer.dropped_lines() == before + 10
        assert not writer.close(0.01)
        os.read(reader, size)  # the thread ends when its lines are dropped
        os.set_blocking(reader, False)
        while not writer.wait(0.01):
            try:
                os.read(reader, size)
            except BlockingIOError:
                continue
