"""Spans as the services see them. Without tracing, every span is `NO_SPAN`, whose methods do nothing.

A span is a part of a session with a beginning and an end. The spans of one session form one trace over all services,
because each service passes the `traceparent` (W3C Trace Context) of its span on to the next one.
`pixelfleet.service.otel` makes spans with the SDK of OpenTelemetry, which is imported only if tracing is on.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, Protocol

TRACEPARENT: Final = "traceparent"
"""The header with the span of the service that sends a request."""

_TRACEPARENT: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

NO_ATTRIBUTES: Final[Mapping[str, str | int | float | bool]] = {}

Attributes = Mapping[str, str | int | float | bool]


class Kind(Enum):
    """The relation of a span to other services."""

    INTERNAL = "internal"
    SERVER = "server"
    """It begins with a request of a client or of another service."""
    CLIENT = "client"
    """It is a request to another service."""


class Span(Protocol):
    """A part of a session."""

    @property
    def traceparent(self) -> str:
        """The context of the span for the next service, or the empty string without tracing."""

    def child(
        self,
        name: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        kind: Kind = Kind.INTERNAL,
        parent: str = "",
        at: int | None = None,
    ) -> "Span":
        """Begin a span inside this one, or inside the remote `parent` if that is a `traceparent`.

        `at` is the time of its beginning, in nanoseconds since the epoch, if that is not now.
        """

    def event(self, name: str, attributes: Attributes = NO_ATTRIBUTES) -> None:
        """Record that something happened now."""

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""

    def end(self, attributes: Attributes = NO_ATTRIBUTES, *, error: str = "", at: int | None = None) -> None:
        """End the span, now or `at` a time, with the type of an error if it failed. Later calls have no effect."""


class Tracing(Protocol):
    """Begins the spans of one service."""

    @property
    def enabled(self) -> bool:
        """Whether spans are recorded."""

    def begin(self, name: str, attributes: Attributes = NO_ATTRIBUTES, *, parent: str = "") -> Span:
        """Begin the first span of a session in this service, inside the span of another one if `parent` names it."""

    def now(self) -> int:
        """Return the time in nanoseconds since the epoch."""


class NoSpan:
    """The span of a service without tracing."""

    __slots__ = ()
    traceparent: Final = ""

    def child(
        self,
        name: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        kind: Kind = Kind.INTERNAL,
        parent: str = "",
        at: int | None = None,
    ) -> "NoSpan":
        """Return this object."""
        return self

    def event(self, name: str, attributes: Attributes = NO_ATTRIBUTES) -> None:
        """Do nothing."""

    def set(self, attributes: Attributes) -> None:
        """Do nothing."""

    def end(self, attributes: Attributes = NO_ATTRIBUTES, *, error: str = "", at: int | None = None) -> None:
        """Do nothing."""


class NoTracing:
    """The tracing of a service without it."""

    enabled: Final = False

    def begin(self, name: str, attributes: Attributes = NO_ATTRIBUTES, *, parent: str = "") -> NoSpan:
        """Return NO_SPAN."""
        return NO_SPAN

    def now(self) -> int:
        """Return 0."""
        return 0


NO_SPAN: Final = NoSpan()
NO_TRACING: Final = NoTracing()


def traceparent_of(headers: Mapping[str, str]) -> str:
    """Return the valid `traceparent` of a request, or the empty string.

    Only the request of a trusted sender may have one: it decides whether the session is traced.
    """
    text = headers.get(TRACEPARENT, "")
    return text if text and _TRACEPARENT.fullmatch(text) else ""


def trace_headers(span: Span) -> dict[str, str]:
    """Return the headers of a request that is made inside a span."""
    return {TRACEPARENT: span.traceparent} if span.traceparent else {}
