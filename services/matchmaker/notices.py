"""Events of a session outside any call of its player's task: queued by the broker, delivered by `Players`."""

from typing import NamedTuple

from pixelfleet.fleet.model import Lease
from pixelfleet.fleet.store import TicketRefusedError


class Matched(NamedTuple):
    """A waiting player got a lease."""

    session_id: str
    lease: Lease


class StoreUnavailable(NamedTuple):
    """The store is unavailable, so no player is matched."""

    session_id: str


class StoreAvailable(NamedTuple):
    """The store is available again."""

    session_id: str


class Refused(NamedTuple):
    """The store refused the session's ticket."""

    session_id: str
    error: TicketRefusedError


class Ended(NamedTuple):
    """An operator ended the session."""

    session_id: str


class Moved(NamedTuple):
    """The player has returned through another replica, which owns the session now."""

    session_id: str


Notice = Moved | Matched | StoreUnavailable | StoreAvailable | Refused | Ended
