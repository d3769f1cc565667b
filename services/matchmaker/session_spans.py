"""The spans of one player's session in the matchmaker."""

from typing import Final

from matchmaker.settings import Settings
from pixelfleet.fleet.model import Lease, Ticket
from pixelfleet.fleet.session_spans import (
    APP,
    MATCH,
    QUEUE,
    SESSION_ID,
    SPECTATOR,
    STREAMER,
    close,
    dial_error,
)
from pixelfleet.net.dial import DialError
from pixelfleet.net.request_head import RequestHead
from pixelfleet.service.tracing import NO_SPAN, Attributes, Kind, Span, Tracing, traceparent_of


class SessionSpans:
    """The spans of one player; those of a replica without tracing are one object that does nothing."""

    __slots__ = ("_dial", "_queue", "_session", "_streamer")

    def __init__(self, session: Span) -> None:
        self._session = session
        self._queue: Span = session.child(QUEUE)
        self._dial: Span = NO_SPAN
        self._streamer = ""

    @property
    def traceparent(self) -> str:
        """The context of the player's session here; empty without tracing."""
        return self._session.traceparent

    def matched(self, lease: Lease) -> None:
        """Record that the player has a lease."""
        if self is NO_SPANS:
            return
        self._streamer = lease.streamer.key
        self._session.set({STREAMER: self._streamer})
        self._queue.end()
        self._queue = NO_SPAN

    def waits(self) -> None:
        """Record that the player waits for a lease, if it did not already."""
        if self is not NO_SPANS and self._queue is NO_SPAN:
            self._queue = self._session.child(QUEUE)

    def dials(self, name: str) -> Span:
        """Begin the span of a dial, or of a handover to the router, and return it."""
        if self is not NO_SPANS:
            self._dial.end(error=dial_error(0))  # no effect on one whose outcome is recorded
            self._dial = self._session.child(name, {STREAMER: self._streamer}, kind=Kind.CLIENT)
        return self._dial

    def dialled(self, error: DialError | None = None) -> None:
        """Record the outcome of the present dial, or of the present handover."""
        self._dial.end(error=dial_error(error.status) if error is not None else "")

    def end(self, code: int) -> None:
        """Record the end of the player's connection, with the code of its close."""
        if self is not NO_SPANS:
            self._dial.end()
            self._queue.end()
            close(self._session, code)


NO_SPANS: Final = SessionSpans(NO_SPAN)
"""The spans of all players without tracing."""


def router_span(tracing: Tracing, settings: Settings, head: RequestHead, hands_over: bool) -> str:
    """Return the `traceparent` of a player's request, which only a router or another trusted proxy may send.

    `hands_over` is whether the request has the claim of a router.
    """
    trusted = tracing.enabled and (hands_over or settings.trusted_proxies > 0)
    return traceparent_of(head.headers) if trusted else ""


def begin(tracing: Tracing, ticket: Ticket, parent: str) -> SessionSpans:
    """Begin the spans of a player, inside the span of its router if `parent` names that."""
    if not tracing.enabled:
        return NO_SPANS
    attributes: Attributes = {SESSION_ID: ticket.session_id, APP: ticket.app, SPECTATOR: ticket.spectator}
    return SessionSpans(tracing.begin(MATCH, attributes, parent=parent))
