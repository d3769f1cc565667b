"""Session tokens, which admit a matched player to the signalling server of its leased streamer."""

from typing import Final, Literal

import msgspec

from pixelfleet.fleet.limits import SessionLimits
from pixelfleet.protocol.people import Invite
from pixelfleet.service import signing
from pixelfleet.service.signing import TokenError

LIFETIME_SECONDS: Final = 60


class SessionToken(msgspec.Struct, frozen=True):
    """The claims of a session token."""

    session_id: str
    server_id: str
    endpoint_id: str
    app: str
    role: Literal["player", "guest", "spectator"] = "player"
    limits: SessionLimits | None = None
    seconds: float = 0.0
    """The longest time that the session may last, by the limits of its person; 0 is no limit."""
    invite: Invite | None = None
    """The invite of a player that joins another one's session."""
    shares: bool = False
    """Whether an invited guest occupies no slot."""


def sign(token: SessionToken, key: str) -> str:
    """Return the token as a signed string, valid for LIFETIME_SECONDS."""
    claims: dict[str, object] = {
        "sub": token.session_id,
        "endpoint": token.endpoint_id,
        "app": token.app,
        "role": token.role,
    }
    if token.limits is not None:
        claims["limits"] = msgspec.to_builtins(token.limits)
    if token.seconds > 0:
        claims["seconds"] = token.seconds
    if token.invite is not None:
        claims |= {"invite": msgspec.to_builtins(token.invite), "shares": token.shares}
    return signing.sign(claims, key, audience=token.server_id, seconds=LIFETIME_SECONDS)


def verify(text: str, key: str, server_id: str) -> SessionToken:
    """Return a valid token: signed with the key, for this server, not expired. Raises TokenError for any other."""
    claims = signing.verify(text, key, audience=server_id, required=("sub",))
    try:
        return msgspec.convert(
            {
                "session_id": claims["sub"],
                "server_id": server_id,
                "endpoint_id": claims.get("endpoint"),
                "app": claims.get("app"),
                "role": claims.get("role", "player"),
                "limits": claims.get("limits"),
                "seconds": claims.get("seconds", 0.0),
                "invite": claims.get("invite"),
                "shares": claims.get("shares", False),
            },
            SessionToken,
        )
    except msgspec.ValidationError:
        raise TokenError("claims are missing") from None
