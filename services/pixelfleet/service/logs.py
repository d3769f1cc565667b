"""Structured logs on stderr: one line for each event, as text or as JSON."""

import asyncio
import atexit
import logging
import sys
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, Literal

import orjson
import structlog
from aiohttp.http import HttpProcessingError

Style = Literal["console", "json"]

FLUSH_SECONDS: Final = 0.05
"""The maximum delay of a debug or info line in JSON. Only a killed process loses delayed lines."""

MAX_BUFFERED_LINES: Final = 256

REQUEST: Final = ContextVar("request", default="")
"""The id of the current request, which is added to its log lines."""


class _WithoutMalformedRequests(logging.Filter):
    """Drops aiohttp's errors about malformed requests: any client could fill the log with tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to keep a record."""
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_WITHOUT_MALFORMED_REQUESTS = _WithoutMalformedRequests()


class _StderrLogger(structlog.PrintLogger):
    """Writes events to stderr directly, which is cheaper than through the standard library."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name


class _BufferedStderr:
    """Buffered standard error: a write for each line would wake its reader each time."""

    def __init__(self) -> None:
        self._stream = sys.stderr.buffer
        self._lines: list[bytes] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop with a scheduled flush; None without one."""
        atexit.register(self.flush)

    def write_soon(self, line: bytes) -> None:
        """Write a line within FLUSH_SECONDS, or immediately without a running event loop."""
        self._lines.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if len(self._lines) >= MAX_BUFFERED_LINES:
            self.flush()
        elif loop is not self._loop:
            self._loop = loop
            loop.call_later(FLUSH_SECONDS, self.flush)

    def write(self, line: bytes) -> None:
        """Write a line immediately, after the buffered ones."""
        self._lines.append(line)
        self.flush()

    def flush(self) -> None:
        """Write all buffered lines."""
        self._loop = None
        with self._lock, suppress(OSError, ValueError):  # the reader has closed the pipe
            # Other threads may add lines meanwhile: only the written ones are removed.
            if lines := self._lines[:]:
                del self._lines[: len(lines)]
                self._stream.write(b"\n".join([*lines, b""]))
                self._stream.flush()


class _JsonLogger:
    """Writes rendered events: debug and info are buffered, higher levels are written immediately."""

    def __init__(self, out: _BufferedStderr, name: str = "") -> None:
        self.name = name
        self.debug = self.info = out.write_soon
        self.warning = self.error = self.exception = self.critical = out.write


def _name(logger: _StderrLogger | _JsonLogger, _: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the name of the module."""
    event["logger"] = logger.name
    return event


def _request(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the id of the current request."""
    if request := REQUEST.get():
        event.setdefault("request", request)
    return event


def _escape(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Escape control characters: a value may come from a peer, such as a close reason."""
    for name, value in event.items():
        if type(value) is str and name not in ("exception", "stack") and not value.isprintable():
            event[name] = value.encode("unicode_escape").decode()
    return event


class _Clock:
    """Adds the time in UTC; the part down to the second is formatted once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def __call__(self, _: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """Add the timestamp to an event."""
        second, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        event["timestamp"] = f"{self._text}.{microseconds:06}Z"
        return event


class _JsonLine:
    """Renders an event in one step: a chain of processors would take twice the time."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    def __call__(self, logger: _JsonLogger, method: str, event: structlog.typing.EventDict) -> bytes:
        """Return an event as JSON."""
        event["logger"] = logger.name
        event["level"] = "error" if method == "exception" else method
        _request(logger, method, event)
        self._clock(logger, method, event)
        if "exc_info" in event:
            structlog.processors.format_exc_info(logger, method, event)
        return _json(event)


def _json(event: structlog.typing.EventDict, **_: Any) -> bytes:
    return orjson.dumps(event, default=str)


def _text(_: object, __: str, line: Any) -> str:
    """Return a line as text for the handlers of the standard library."""
    return str(line, "utf-8")


def _renderer(style: Style) -> list[structlog.typing.Processor]:
    if style == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    # The library's rich tracebacks show local variables, which may contain secrets.
    colors = sys.stderr.isatty()
    return [_escape, structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def configure(level: str = "info", style: Style = "console") -> None:
    """Send the logs of this process and of its libraries to stderr in one format."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    clock = _Clock()
    common: list[structlog.typing.Processor] = [_request, structlog.processors.add_log_level, clock]
    structlog.configure(
        processors=[_JsonLine(clock)] if style == "json" else [_name, *common, *_renderer(style)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=partial(_JsonLogger, _BufferedStderr()) if style == "json" else _StderrLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderer(style),
                *([_text] if style == "json" else []),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    # A peer's malformed frame is not an error of the service; it is logged with its close code.
    logging.getLogger("picows").setLevel(logging.CRITICAL)
    logging.getLogger("aiohttp.server").addFilter(_WITHOUT_MALFORMED_REQUESTS)
    for chatty in ("aioice", "aiortc", "websockets", "aiohttp.access"):
        # At info these log a line for each connection, which the services log themselves.
        logging.getLogger(chatty).setLevel(max(threshold, logging.WARNING))
