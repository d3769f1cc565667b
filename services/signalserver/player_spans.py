"""The spans of one negotiation of a player: it is offered a stream, answers, and connects. No I/O."""

from collections.abc import Mapping
from typing import Final

from pixelfleet.fleet.session_spans import (
    ANSWER,
    AWAY,
    CANDIDATES,
    FIRST_FRAME,
    ICE,
    ICE_PATH,
    OFFER,
    PATH_CHANGED,
    RESUMED,
    close,
)
from pixelfleet.service.tracing import NO_SPAN, Span

NANOSECONDS: Final = 1_000_000_000


class PlayerSpans:
    """The span of a negotiation, with spans for its steps."""

    def __init__(self, negotiation: Span) -> None:
        self._negotiation = negotiation
        self._step: Span = negotiation.child(OFFER)
        """The span of the present step; NO_SPAN after the last one."""
        self._steps = [OFFER, ANSWER, ICE]
        self._away: Span = NO_SPAN
        self._candidates = 0
        self._last_candidate: int | None = None
        """The time of the last candidate in the present step, or of the beginning of that."""

    @property
    def traceparent(self) -> str:
        """The context of the negotiation."""
        return self._negotiation.traceparent

    def forwarded(self, kind: str, now: int) -> None:
        """Record that an offer, an answer or a candidate of the player, or for it, was forwarded.

        `now` is in nanoseconds since the epoch, as in the other methods.
        """
        if kind == "iceCandidate":
            self._candidates += 1
            self._last_candidate = now
        elif self._steps and kind == self._steps[0]:
            self._step.end()
            del self._steps[0]
            self._step = self._negotiation.child(self._steps[0])
            self._last_candidate = now

    def path(self, kind: str) -> None:
        """Record the ICE path that the page reports."""
        if self._steps:
            self._connected({ICE_PATH: kind})
        else:
            self._negotiation.event(PATH_CHANGED, {ICE_PATH: kind})

    def first_frame(self, steps: Mapping[str, float], now: int) -> None:
        """Record the first frame of the page, with the seconds of the steps to it, of which the last ends now."""
        if self._steps:
            self._connected({})
        at = now - round(sum(steps.values()) * NANOSECONDS)
        frame = self._negotiation.child(FIRST_FRAME, at=at)
        for step, seconds in steps.items():
            span = frame.child(f"{FIRST_FRAME}.{step}", at=at)
            at += round(seconds * NANOSECONDS)
            span.end(at=at)
        frame.end(at=now)

    def away(self) -> None:
        """Record that the player has no websocket, and its session is kept."""
        self._away.end()
        self._away = self._negotiation.child(AWAY)

    def resumed(self) -> None:
        """Record that the player has a websocket again."""
        self._away.end({RESUMED: True})
        self._away = NO_SPAN

    def end(self, code: int | None) -> None:
        """Record the end of the negotiation: with the code with which the server ended it, or None."""
        self._away.end({RESUMED: False})
        if self._steps == [ICE]:  # most pages report no path: the last candidate is the end that is known
            self._step.end({CANDIDATES: self._candidates}, at=self._last_candidate)
        else:
            self._step.end(error="incomplete")
        if code is None:
            self._negotiation.end()
        else:
            close(self._negotiation, code)

    def _connected(self, attributes: Mapping[str, str]) -> None:
        error = "" if self._steps == [ICE] else "incomplete"
        self._step.end({**attributes, CANDIDATES: self._candidates}, error=error)
        self._steps.clear()
        self._step = NO_SPAN
