"""Structured logs: one line an event, for people or as JSON, on stderr."""

import logging
import sys
from typing import Literal

import structlog
from aiohttp.http import HttpProcessingError


class _NotStrangersMistakes(logging.Filter):
    """Drops aiohttp's errors about requests that are no HTTP: anyone could fill the log with their stacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is about a mistake of ours."""
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_NOT_STRANGERS_MISTAKES = _NotStrangersMistakes()


def _console_renderer() -> structlog.dev.ConsoleRenderer:
    # The library's richer tracebacks show local variables, among which may be a secret.
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def configure(level: str = "info", style: Literal["console", "json"] = "console") -> None:
    """Send the logs of this process and of its libraries to stderr in one form."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: list[structlog.typing.Processor]
    if style == "json":
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        renderer = [_console_renderer()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
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
