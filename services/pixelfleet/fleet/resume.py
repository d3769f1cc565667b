"""Resume tokens, with which a page returns to its session after its websocket ended. No I/O.

The signalling server of a session signs the token, and alone decides whether the session still exists. The token names
the server's address, so that a router connects the page without the fleet store and without a matchmaker.
"""

import hashlib
import hmac
from typing import Final, Literal

import msgspec

from pixelfleet.service import signing
from pixelfleet.service.signing import TokenError

AUDIENCE: Final = "pixelfleet-resume"

LIFETIME_SECONDS: Final = 24 * 3600
"""The server decides by the presence of the session; a page that returns gets a new token with each negotiation."""


class ResumeToken(msgspec.Struct, frozen=True):
    """The claims of a resume token."""

    session_id: str
    server_id: str
    url: str
    """The websocket URL of the signalling server, as it reports it to the fleet store."""
    app: str
    line: str
    """The id of the negotiation whose messages are counted; a later negotiation of the session has another one."""
    role: Literal["player", "spectator"] = "player"
    trace: str = ""
    """The `traceparent` of the span that the session began in; empty without tracing."""


def sign(token: ResumeToken, key: bytes) -> str:
    """Return the token as a signed string, valid for LIFETIME_SECONDS."""
    claims = {
        "sub": token.session_id,
        "srv": token.server_id,
        "url": token.url,
        "app": token.app,
        "line": token.line,
        "role": token.role,
    }
    if token.trace:
        claims["trace"] = token.trace
    return signing.sign(claims, key, audience=AUDIENCE, seconds=LIFETIME_SECONDS)


def verify(text: str, key: bytes) -> ResumeToken:
    """Return a token that was signed with this key and has not expired; raise TokenError for any other."""
    claims = signing.verify(text, key, audience=AUDIENCE, required=("sub", "srv", "url"))
    try:
        return msgspec.convert(
            {
                "session_id": claims["sub"],
                "server_id": claims["srv"],
                "url": claims["url"],
                "app": claims.get("app"),
                "line": claims.get("line"),
                "role": claims.get("role", "player"),
                "trace": claims.get("trace", ""),
            },
            ResumeToken,
        )
    except msgspec.ValidationError:
        raise TokenError("claims are missing") from None


def resume_key(session_key: str) -> bytes:
    """Return the key of resume tokens, which no session token, link or handover is signed with."""
    return hmac.digest(session_key.encode(), AUDIENCE.encode(), hashlib.sha256)
