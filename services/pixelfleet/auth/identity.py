"""Who somebody is, once that is proven."""

from dataclasses import dataclass
from typing import Literal

AuthMethod = Literal["none", "basic", "jwt", "link"]
"""How somebody proves who they are."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person or program, and what they may have."""

    subject: str = ""
    """Their name, for logs; empty for a stranger."""
    method: AuthMethod = "none"
    roles: frozenset[str] = frozenset()
    apps: tuple[str, ...] = ()
    """The apps that they may ask for, the first by default; empty is any."""
    priority: int | None = None
    """Their place among those who wait; None is the usual one."""
    wants: str = ""
    """The one streamer or session that they may have; empty is any."""


STRANGER = Identity()


class InvalidCredentialsError(ValueError):
    """What was shown proves nothing; the text says why and repeats no part of it."""


class AuthBackendError(RuntimeError):
    """Whoever could tell (the issuer, the store) cannot be asked right now; the text says who."""
