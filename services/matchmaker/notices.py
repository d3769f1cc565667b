"""What happens to a session while its player awaits no answer: queued by the broker, delivered by `Players`."""

from typing import NamedTuple

from pixelfleet.fleet.model import Lease


class Matched(NamedTuple):
    """A player that waited has a streamer."""

    session_id: str
    lease: Lease


class StoreLost(NamedTuple):
    """No player is matched at present: the store is out of reach."""

    session_id: str


class StoreFound(NamedTuple):
    """Players are matched again."""

    session_id: str


class Refused(NamedTuple):
    """The store does not take this session's ticket."""

    session_id: str
    why: str


class Ended(NamedTuple):
    """An operator has ended the session."""

    session_id: str


Notice = Matched | StoreLost | StoreFound | Refused | Ended
