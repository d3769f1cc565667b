"""Structured logs: one line an event, for people or as JSON, on stderr."""

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

WAIT_SECONDS: Final = 0.05
"""How long a line of no more than information may wait for others. Only what is killed at once loses it."""

LINES_AT_ONCE: Final = 256

REQUEST: Final = ContextVar("request", default="")
"""The id of the request that is answered; all lines that are written for it have it."""


class _NotStrangersMistakes(logging.Filter):
    """Drops aiohttp's errors about requests that are no HTTP: anyone could fill the log with their stacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is about a mistake of ours."""
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_NOT_STRANGERS_MISTAKES = _NotStrangersMistakes()


class _Lines(structlog.PrintLogger):
    """Writes events to stderr without the detour over the standard library, which costs more than making them."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name


class _Out:
    """Standard error, written to several lines at a time: a write for each wakes its reader each time."""

    def __init__(self) -> None:
        self._stream = sys.stderr.buffer
        self._lines: list[bytes] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop that will write what is there; None while nothing is."""
        atexit.register(self.flush)

    def later(self, line: bytes) -> None:
        """Write a line soon, or now where nothing runs that could do it later."""
        self._lines.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if len(self._lines) >= LINES_AT_ONCE:
            self.flush()
        elif loop is not self._loop:
            self._loop = loop
            loop.call_later(WAIT_SECONDS, self.flush)

    def now(self, line: bytes) -> None:
        """Write a line, and what was to be written soon before it."""
        self._lines.append(line)
        self.flush()

    def flush(self) -> None:
        """Write all that is there."""
        self._loop = None
        with self._lock, suppress(OSError, ValueError):  # nobody reads any more
            # Other threads add lines at any time: what is taken out is what is written.
            if lines := self._lines[:]:
                del self._lines[: len(lines)]
                self._stream.write(b"\n".join([*lines, b""]))
                self._stream.flush()


class _Bytes:
    """Hands on events that are bytes already: what may wait may wait for others."""

    def __init__(self, out: _Out, name: str = "") -> None:
        self.name = name
        self.debug = self.info = out.later
        self.warning = self.error = self.exception = self.critical = out.now


def _name(logger: _Lines | _Bytes, _: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the module that an event comes from."""
    event["logger"] = logger.name
    return event


def _request(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the request that an event belongs to."""
    if request := REQUEST.get():
        event.setdefault("request", request)
    return event


def _harmless(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Escape what would move a terminal's cursor or begin a line: a peer's close reason may hold anything."""
    for name, value in event.items():
        if type(value) is str and name not in ("exception", "stack") and not value.isprintable():
            event[name] = value.encode("unicode_escape").decode()
    return event


class _Clock:
    """Adds the time, in UTC; what changes once a second is written once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def __call__(self, _: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """Stamp an event."""
        second, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        event["timestamp"] = f"{self._text}.{microseconds:06}Z"
        return event


class _JsonLine:
    """Makes the whole line of an event at once: a step of its own for each field would cost twice as much."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    def __call__(self, logger: _Bytes, method: str, event: structlog.typing.EventDict) -> bytes:
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
    """Make text of a line for the standard library's handlers."""
    return str(line, "utf-8")


def _renderer(style: Style) -> list[structlog.typing.Processor]:
    if style == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    # The library's richer tracebacks show local variables, among which may be a secret.
    colors = sys.stderr.isatty()
    return [_harmless, structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def configure(level: str = "info", style: Style = "console") -> None:
    """Send the logs of this process and of its libraries to stderr in one form."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    clock = _Clock()
    common: list[structlog.typing.Processor] = [_request, structlog.processors.add_log_level, clock]
    structlog.configure(
        processors=[_JsonLine(clock)] if style == "json" else [_name, *common, *_renderer(style)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=partial(_Bytes, _Out()) if style == "json" else _Lines,
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
    # A stranger's broken frame is no error of ours: the event with its close code says all.
    logging.getLogger("picows").setLevel(logging.CRITICAL)
    logging.getLogger("aiohttp.server").addFilter(_NOT_STRANGERS_MISTAKES)
    for chatty in ("aioice", "aiortc", "websockets", "aiohttp.access"):
        # What these say at info is a line a connection, which our own events already tell.
        logging.getLogger(chatty).setLevel(max(threshold, logging.WARNING))
