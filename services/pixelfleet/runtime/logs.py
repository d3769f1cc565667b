"""Structured logs: one line an event, for people or as JSON, on stderr."""

import logging
import sys
from typing import Any, Literal

import orjson
import structlog
from aiohttp.http import HttpProcessingError

Style = Literal["console", "json"]


class _NotStrangersMistakes(logging.Filter):
    """Drops aiohttp's errors about requests that are no HTTP: anyone could fill the log with their stacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is about a mistake of ours."""
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_NOT_STRANGERS_MISTAKES = _NotStrangersMistakes()


class _Stderr(structlog.PrintLogger):
    """Writes events to stderr without the detour over the standard library, which costs more than making them."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name


def _name(logger: _Stderr, _: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the module that an event comes from."""
    event["logger"] = logger.name
    return event


def _json(event: structlog.typing.EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _renderer(style: Style) -> list[structlog.typing.Processor]:
    if style == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    # The library's richer tracebacks show local variables, among which may be a secret.
    colors = sys.stderr.isatty()
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def configure(level: str = "info", style: Style = "console") -> None:
    """Send the logs of this process and of its libraries to stderr in one form."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[_name, *common, *_renderer(style)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_Stderr,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderer(style)],
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
