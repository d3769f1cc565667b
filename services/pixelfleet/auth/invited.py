"""The identity of a player with an invite to a session."""

from pixelfleet.auth.identity import Identity, InvalidCredentialsError
from pixelfleet.auth.links import REMEMBERED_SECONDS
from pixelfleet.fleet.invites import verify
from pixelfleet.service.signing import TokenError, TokenExpiredError


def identity_of(text: str, key: bytes) -> Identity:
    """Return the identity of the holder of an invite; raise InvalidCredentialsError. Without a key none is valid.

    Its subject is not the name in the invite: a host chooses that, and could choose the subject of somebody's login.
    """
    if not key:
        raise InvalidCredentialsError("invites are not accepted here")
    try:
        invite = verify(text, key)
    except TokenExpiredError:
        raise InvalidCredentialsError("the invite has expired") from None
    except TokenError:
        raise InvalidCredentialsError("the invite is not valid") from None
    return Identity(
        # Its name is what a host has chosen: records, logs and webhooks would take it for that of a login.
        subject=f"invite {invite.id[:8]}",
        method="invite",
        roles=frozenset({invite.role}),
        apps=(invite.app,),
        wants=invite.session,
        link_id=invite.id,
        invite=invite,
        single_use_until=invite.expires + REMEMBERED_SECONDS if invite.once else 0.0,
    )
