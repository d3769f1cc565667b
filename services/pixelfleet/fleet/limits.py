"""The limits of one session, where they are not those of its server."""

import msgspec


class SessionLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """The limits of one session, in seconds; 0 is no limit, and None that of the server."""

    session_seconds: float | None = None
    idle_seconds: float | None = None
