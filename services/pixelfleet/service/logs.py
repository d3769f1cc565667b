"""Structured logs on stderr: one line for each event, as text or as JSON."""

import asyncio
import atexit
import json
import logging
import sys
import time
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, Literal

import orjson
import structlog
from aiohttp.http import HttpProcessingError

from pixelfleet.service.log_writer import LogWriter, drop

Style = Literal["console", "json"]

FLUSH_SECONDS: Final = 0.2
"""The maximum delay of a debug or info line before it is passed to the writer. Only a killed process loses such lines.
With a delay of 0.05 s the thread of the writer took 13 us for each match of a busy matchmaker, 1 % of its CPU time."""

MAX_BUFFERED_LINES: Final = 256

EXIT_SECONDS: Final = 1.0
"""The maximum time that the exit of the process waits for its last lines."""

REQUEST: Final = ContextVar("request", default="")
"""The id of the current request, which is added to its log lines."""

TRACES: Final[dict[str, str]] = {}
"""The trace ids of the sessions of this process, which are added to their log lines; empty without tracing."""


class _WithoutMalformedRequests(logging.Filter):
    """Drops aiohttp's errors about malformed requests: any client could fill the log with tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to keep a record."""
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_WITHOUT_MALFORMED_REQUESTS = _WithoutMalformedRequests()


class _Output:
    """The log of this process: lines for standard error, some of them delayed to be written together."""

    def __init__(self) -> None:
        self._writer = LogWriter(sys.stderr)
        self._lines: list[bytes] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop with a scheduled flush; None without one."""
        atexit.register(self.close)

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
        """Write a line immediately, after the delayed ones."""
        self._lines.append(line)
        self.flush()

    def flush(self) -> None:
        """Pass the delayed lines to the writer."""
        self._loop = None
        # Other threads may add lines meanwhile: only those that are passed on are removed.
        if lines := self._lines[:]:
            del self._lines[: len(lines)]
            self._writer.write(lines)

    def wait(self) -> None:
        """Wait until the lines that were passed to the writer are written or dropped, at most EXIT_SECONDS."""
        self._writer.wait(EXIT_SECONDS)

    def close(self) -> None:
        """Write the remaining lines, within EXIT_SECONDS, and no further ones."""
        atexit.unregister(self.close)
        self.flush()
        self._writer.close(EXIT_SECONDS)


_output: _Output | None = None
"""The output of the present configuration."""


class _Logger:
    """Takes rendered events: debug and info may be delayed, higher levels are written immediately."""

    def __init__(self, out: _Output, name: str = "") -> None:
        self.name = name
        self.debug = self.info = out.write_soon
        self.warning = self.error = self.exception = self.critical = out.write


class _LibraryHandler(logging.Handler):
    """Writes the events of libraries, which log through the standard library."""

    def __init__(self, out: _Output) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        """Write an event; count one that cannot be rendered."""
        try:
            line = _encoded(self.format(record))
        except Exception:  # the event of a library must not fail its caller
            drop()
        else:
            self._out.write(line)


def _name(logger: _Logger, _: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the name of the module."""
    event["logger"] = logger.name
    return event


def _request(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the id of the current request, and the trace of the session that the event names."""
    if request := REQUEST.get():
        event.setdefault("request", request)
    if TRACES and (trace := TRACES.get(event.get("session") or "")) is not None:
        event["trace_id"] = trace
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

    def __call__(self, logger: _Logger, method: str, event: structlog.typing.EventDict) -> bytes:
        """Return an event as JSON."""
        event["logger"] = logger.name
        event["level"] = "error" if method == "exception" else method
        _request(logger, method, event)
        self._clock(logger, method, event)
        if "exc_info" in event:
            structlog.processors.format_exc_info(logger, method, event)
        return _json(event)


def _json(event: structlog.typing.EventDict, **_: Any) -> bytes:
    try:
        return orjson.dumps(event, default=repr)
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits: orjson accepts neither
        return json.dumps(event, default=repr, skipkeys=True).encode()


def _encoded(line: str | bytes) -> bytes:
    return line if isinstance(line, bytes) else line.encode("utf-8", "backslashreplace")


def _bytes(_: object, __: str, line: Any) -> bytes:
    """Return a rendered line in the form that `_Output` takes."""
    return _encoded(line)


def _text(_: object, __: str, line: Any) -> str:
    """Return a line as text for the handlers of the standard library."""
    return str(line, "utf-8")


def _renderer(style: Style) -> list[structlog.typing.Processor]:
    if style == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    # The library's rich tracebacks show local variables, which may contain secrets.
    colors = sys.stderr is not None and sys.stderr.isatty()
    return [_escape, structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def wait() -> None:
    """Wait until the lines so far are written or dropped; delayed lines stay delayed. For tests: it blocks."""
    if _output is not None:
        _output.wait()


def configure(level: str = "info", style: Style = "console") -> None:
    """Send the logs of this process and of its libraries to stderr in one format."""
    global _output  # noqa: PLW0603 - the log of a process is global, as the configuration of its libraries is
    if _output is not None:
        _output.close()
    out = _output = _Output()
    threshold = logging.getLevelNamesMapping()[level.upper()]
    clock = _Clock()
    common: list[structlog.typing.Processor] = [_request, structlog.processors.add_log_level, clock]
    structlog.configure(
        processors=[_JsonLine(clock)] if style == "json" else [_name, *common, *_renderer(style), _bytes],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=partial(_Logger, out),
        cache_logger_on_first_use=True,
    )
    handler = _LibraryHandler(out)
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
