"""Invites as signed tokens, which admit their holder to a running session as a guest or as a spectator. No I/O.

The holder of an invite is matched with the streamer of the session only, and the signalling server that holds the
session decides whether the holder may enter. An invite is signed with a key that is derived from the session key, so
that no session token, link or handover is a valid invite.
"""

import hashlib
import hmac
import uuid
from typing import Final

import msgspec

from pixelfleet.protocol.people import MAX_SECONDS, Invite
from pixelfleet.service import signing
from pixelfleet.service.signing import TokenError

INVITE: Final = "invite"
"""The query parameter of an invite."""

AUDIENCE: Final = "pixelfleet-invite"

DEFAULT_SECONDS: Final = 3600


def sign(invite: Invite, key: bytes, seconds: int) -> str:
    """Return the invite's token, valid for `seconds`; raise ValueError when that is not 1 to MAX_SECONDS."""
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"an invite is valid for 1 to {MAX_SECONDS} seconds")
    claims = {
        "sub": invite.session,
        "role": invite.role,
        "app": invite.app,
        "name": invite.name,
        "once": invite.once,
        "id": uuid.uuid4().hex,
    }
    return signing.sign(claims, key, audience=AUDIENCE, seconds=seconds)


def verify(text: str, key: bytes) -> Invite:
    """Return the content of an invite's token; raise TokenError, or TokenExpiredError."""
    claims = signing.verify(text, key, audience=AUDIENCE, required=("sub", "role", "app", "id"))
    try:
        return msgspec.convert({**claims, "session": claims["sub"], "expires": claims["exp"]}, Invite)
    except msgspec.ValidationError:
        raise TokenError("claims are missing") from None


def invite_key(session_key: str) -> bytes:
    """Return the key of invites."""
    return hmac.digest(session_key.encode(), AUDIENCE.encode(), hashlib.sha256)
