"""Several people in one session: invites, and the messages of pages about them. No I/O."""

from typing import Annotated, Final, Literal

import msgspec

MAX_SECONDS: Final = 7 * 24 * 3600
"""The longest validity of an invite. Its session most likely ends before."""

MAX_NAME_LENGTH: Final = 40

InvitedRole = Literal["guest", "spectator"]
"""A guest may send input, a spectator may not."""

InviteName = Annotated[str, msgspec.Meta(max_length=MAX_NAME_LENGTH)]
InviteSeconds = Annotated[int, msgspec.Meta(gt=0, le=MAX_SECONDS)]


class Invite(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The right to join a running session."""

    session: str
    """The id of the session that its holder joins."""
    role: InvitedRole
    app: str
    """The application of the session."""
    name: InviteName = ""
    """How its holder is called in the list of people."""
    once: bool = False
    """Whether it admits only one player."""
    id: str = ""
    """Generated when it is signed."""
    expires: int = 0
    """Unix time in seconds; set when it is signed."""


class InviteRequest(msgspec.Struct, rename="camel"):
    """`invite`: a host's request for an invite that is valid for `seconds`."""

    role: InvitedRole
    seconds: InviteSeconds
    once: bool = False
    name: InviteName = ""


class Person(msgspec.Struct, rename="camel"):
    """`handOver` and `kick`: what a host decides about a person. Legacy pages send `kick` without a person."""

    person: int | None = None


class Mute(msgspec.Struct, rename="camel"):
    """`mute`: a host takes the input of a guest away, or gives it back."""

    person: int
    muted: bool
