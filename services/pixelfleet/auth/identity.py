"""Identities, and the errors of authentication."""

from dataclasses import dataclass
from typing import Literal

from pixelfleet.protocol.people import Invite

AuthMethod = Literal["none", "basic", "jwt", "oidc", "link", "invite"]
"""How an identity is proven."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated subject and its permissions."""

    subject: str = ""
    """The name, for logs; empty for an unauthenticated client."""
    method: AuthMethod = "none"
    roles: frozenset[str] = frozenset()
    apps: tuple[str, ...] = ()
    """The permitted applications, of which the first is the default; empty is any."""
    priority: int | None = None
    """The priority in the queue; None is the default priority."""
    wants: str = ""
    """The only permitted streamer or session; empty is any."""
    link_id: str = ""
    """The id of the signed link or invite; empty for other methods."""
    invite: Invite | None = None
    """The invite to the session that it joins."""
    single_use_until: float = 0.0
    """Unix time until which a single-use link must be remembered once it is redeemed; 0 for any other identity."""
    tenant: str = ""
    """The name of its tenant, such as a company; empty for none."""
    sessions: int | None = None
    """How many sessions its subject may have at once, by a claim; None is the setting, 0 no limit."""
    minutes: int | None = None
    """How many minutes a day its subject may play, by a claim; None is the setting, 0 no limit."""


ANONYMOUS = Identity()


class InvalidCredentialsError(ValueError):
    """The credentials are missing or invalid; the text gives the reason and repeats no part of them."""


class AuthBackendError(RuntimeError):
    """A backend (the issuer, the store, the password checker) is unavailable; the text names it."""
