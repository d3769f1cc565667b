"""What proof an entry point requires."""

from dataclasses import dataclass

from pixelfleet.auth.identity import Way


@dataclass(frozen=True, slots=True)
class Door:
    """What one door asks for."""

    name: str
    way: Way
    role: str = ""
    """The role that is asked for; empty is any."""
    links: bool = False
    """Whether a signed link opens it."""
