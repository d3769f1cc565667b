"""Signed links: URL tokens that admit their holder, for a time or once."""

import hashlib
import hmac
import uuid
from typing import Any, Final

import msgspec

from pixelfleet.auth.identity import Identity, InvalidCredentialsError
from pixelfleet.fleet.bounds import MAX_PRIORITY
from pixelfleet.service import signing

AUDIENCE: Final = "pixelfleet-link"
MAX_SECONDS: Final = 366 * 24 * 3600

REMEMBERED_SECONDS: Final = 2 * signing.LEEWAY_SECONDS
"""A redeemed link is remembered for this time after its expiry: it is valid for the leeway, and the clocks of the store
and of another matchmaker may differ by as much."""


class SignedLink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of a link."""

    subject: str = ""
    """The name of its holder, for logs."""
    app: str = ""
    wants: str = ""
    """The only permitted streamer or session; empty is any."""
    priority: int | None = None
    roles: tuple[str, ...] = ()
    once: bool = False
    id: str = ""
    """Generated when it is signed."""
    expires: int = 0
    """Unix time in seconds; set when it is signed."""

    @property
    def identity(self) -> Identity:
        """The identity of its holder."""
        return Identity(
            subject=self.subject or f"link {self.id[:8]}",
            method="link",
            roles=frozenset(self.roles),
            apps=(self.app,) if self.app else (),
            priority=self.priority,
            wants=self.wants,
            link_id=self.id,
            single_use_until=self.expires + REMEMBERED_SECONDS if self.once else 0.0,
        )


def sign(link: SignedLink, key: str, seconds: int) -> str:
    """Return the link's token, valid for `seconds`; raise ValueError when that is not 1 to MAX_SECONDS."""
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"a link is valid for 1 to {MAX_SECONDS} seconds")
    claims: dict[str, Any] = msgspec.to_builtins(link)
    claims.pop("expires", None)
    claims["id"] = uuid.uuid4().hex
    return signing.sign(claims, _own_key(key), audience=AUDIENCE, seconds=seconds)


def verify(text: str, key: str) -> SignedLink:
    """Return the content of a link's token; raise InvalidCredentialsError."""
    try:
        claims = signing.verify(text, _own_key(key), audience=AUDIENCE, required=("id",))
        link = msgspec.convert({**claims, "expires": claims["exp"]}, SignedLink)
    except signing.TokenExpiredError:
        raise InvalidCredentialsError("the link has expired") from None
    except (signing.TokenError, msgspec.ValidationError):
        raise InvalidCredentialsError("the link is not valid") from None
    if link.priority is not None and not 0 <= link.priority <= MAX_PRIORITY:
        raise InvalidCredentialsError("the link is not valid")
    return link


def _own_key(key: str) -> bytes:
    """Return a key for links only: a token signed with the session key for another use is never a valid link."""
    return hmac.digest(key.encode(), AUDIENCE.encode(), hashlib.sha256)
