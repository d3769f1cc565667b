"""Waiting tokens, with which a page that waits for a streamer returns to its place in the queue. No I/O.

The matchmaker signs the token. It contains the request of the player, so that any replica can queue the same ticket
again: the fleet store keeps only the time of its arrival, and only for a while (`Ticket.keeps_place`).
"""

import hashlib
import hmac
from typing import Final

import msgspec

from pixelfleet.fleet.model import Ticket
from pixelfleet.service import signing
from pixelfleet.service.signing import TokenError

AUDIENCE: Final = "pixelfleet-waiting"

LIFETIME_SECONDS: Final = 24 * 3600
"""The fleet store decides by the presence of the ticket or of its place."""


class WaitingToken(msgspec.Struct, frozen=True):
    """The claims of a waiting token."""

    ticket: Ticket
    """Without its replica and its client, which are those of the present connection."""
    passed_on: dict[str, str] = {}
    """Query parameters for the signalling server."""
    trace: str = ""
    """The `traceparent` of the span that the session began in; empty without tracing."""


def sign(token: WaitingToken, key: bytes) -> str:
    """Return the token as a signed string, valid for LIFETIME_SECONDS."""
    ticket = msgspec.structs.replace(token.ticket, replica_id="", client="")
    claims = msgspec.to_builtins(WaitingToken(ticket, token.passed_on, token.trace))
    if not token.trace:
        del claims["trace"]
    return signing.sign({"sub": ticket.session_id, **claims}, key, audience=AUDIENCE, seconds=LIFETIME_SECONDS)


def verify(text: str, key: bytes) -> WaitingToken:
    """Return a token that was signed with this key and has not expired; raise TokenError for any other."""
    claims = signing.verify(text, key, audience=AUDIENCE, required=("sub", "ticket"))
    try:
        return msgspec.convert(claims, WaitingToken)
    except msgspec.ValidationError:
        raise TokenError("claims are missing") from None


def waiting_key(session_key: str) -> bytes:
    """Return the key of waiting tokens, which no session token, link or handover is signed with."""
    return hmac.digest(session_key.encode(), AUDIENCE.encode(), hashlib.sha256)
