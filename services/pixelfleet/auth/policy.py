"""What proof an entry point requires."""

from dataclasses import dataclass

from pixelfleet.auth.identity import AuthMethod


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """What one door asks for."""

    name: str
    method: AuthMethod
    role: str = ""
    """The role that is asked for; empty is any."""
    links: bool = False
    """Whether a signed link opens it."""
