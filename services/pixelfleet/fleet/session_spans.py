"""The names of the spans of a session, and of their attributes. docs/reference/tracing.md describes them. No I/O."""

from typing import Final

from pixelfleet.protocol.endings import ending_of
from pixelfleet.service.tracing import NO_SPAN, Span

SESSION: Final = "session"
"""Router: from the accepted websocket of the page to its close."""
RETURN: Final = "return"
"""Router: the same of a page that returns to its session."""
MATCH: Final = "match"
"""Matchmaker: from the accepted player to the close of its connection here."""
QUEUE: Final = "queue"
"""Matchmaker: from the arrival of the player, or the loss of its streamer, to a lease."""
DIAL: Final = "dial"
"""Router or matchmaker: the websocket to the signalling server, from the dial to its outcome."""
HANDOVER: Final = "handover"
"""Matchmaker: from the request that the router connects the player to the router's answer."""
SIGNALLING: Final = "signalling"
"""Signalling server: one negotiation of the player, from its admission to its end."""
OFFER: Final = "offer"
"""Signalling server: from the admission of the player to its first forwarded offer."""
ANSWER: Final = "answer"
"""Signalling server: from the offer to the first forwarded answer."""
ICE: Final = "ice"
"""Signalling server: from the answer to the ICE path that the page reports."""
AWAY: Final = "away"
"""Signalling server: the time without a websocket of a player whose session is kept."""
FIRST_FRAME: Final = "first_frame"
"""Signalling server: from opening the page to its first frame, as the page reports it; with a span for each step."""

SPANS: Final = (SESSION, RETURN, MATCH, QUEUE, DIAL, HANDOVER, SIGNALLING, OFFER, ANSWER, ICE, AWAY, FIRST_FRAME)

SESSION_ID: Final = "session.id"
"""The only attribute here that has a name in the semantic conventions, beside `error.type`."""
APP: Final = "pixelfleet.app"
STREAMER: Final = "pixelfleet.streamer"
SPECTATOR: Final = "pixelfleet.spectator"
CLOSE_CODE: Final = "pixelfleet.close.code"
ENDING: Final = "pixelfleet.ending"
ICE_PATH: Final = "pixelfleet.ice.path"
CANDIDATES: Final = "pixelfleet.ice.candidates"
RESUMED: Final = "pixelfleet.resumed"

ATTRIBUTES: Final = (SESSION_ID, APP, STREAMER, SPECTATOR, CLOSE_CODE, ENDING, ICE_PATH, CANDIDATES, RESUMED)

PATH_CHANGED: Final = "ice path changed"
"""The event of a `signalling` span whose page reports a further ICE path."""


def close(span: Span, code: int) -> None:
    """End a span with a player's connection, by the code of its close."""
    if span is not NO_SPAN:
        span.end({CLOSE_CODE: code, ENDING: ending_of(code).value})


def dial_error(status: int) -> str:
    """Return the type of the error of a failed dial: the HTTP status of the refusal, or `unreachable` for 0."""
    return str(status) if status else "unreachable"
