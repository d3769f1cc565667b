"""Access policies."""

from dataclasses import dataclass

from pixelfleet.auth.identity import AuthMethod


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """What one interface requires of a request."""

    name: str
    method: AuthMethod
    role: str = ""
    """The required role; empty is any."""
    links: bool = False
    """Whether a signed link is accepted as well."""
