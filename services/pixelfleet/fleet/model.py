"""What the fleet store holds. Every fact has one owner, who repeats it as an absolute value on a heartbeat."""

from enum import Enum
from typing import Final

import msgspec

HEARTBEAT_SECONDS: Final = 2.0
"""How often an owner repeats its reports."""

EXPIRY_SECONDS: Final = 6.0
"""How long a report holds without being repeated: three heartbeats."""

CLAIM_SECONDS: Final = 1.0
"""How long the replica that holds a matched ticket has to say that it is its own."""

ARRIVAL_SECONDS: Final = 10.0
"""How long a claimed session's player has to arrive at its signalling server."""


class StreamerReport(msgspec.Struct, frozen=True, kw_only=True):
    """One streamer, as its signalling server sees it."""

    server_id: str
    """The pod's UID, or made up when the server starts; with the endpoint id it names the streamer."""
    endpoint_id: str
    app: str
    url: str
    """Where players are dialled: a websocket URL without a query."""
    rest_url: str = ""
    """The application's own REST API, if it has one."""
    dialect: str = "5.5"
    capacity: int = 1
    """Sessions at once; 0 is no limit."""
    labels: dict[str, str] = {}
    ready: bool = True
    draining: bool = False
    sessions: tuple[str, ...] = ()
    """The ids of the sessions that it holds right now."""
    sequence: int
    """Grows with every report of one server; an older report than the last is refused."""

    @property
    def key(self) -> str:
        """The streamer's name in the whole fleet."""
        return f"{self.server_id}/{self.endpoint_id}"


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A player that waits."""

    session_id: str
    replica_id: str
    """The matchmaker replica that holds the player's socket."""
    app: str
    streamer: str = ""
    """The key or endpoint id of the one streamer that it wants; empty for any."""
    labels: dict[str, str] = {}
    """What the streamer's labels must say."""


class LeaseState(Enum):
    """How far a promise has come."""

    MATCHED = "matched"
    CLAIMED = "claimed"
    HELD = "held"


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A slot that is promised to one session."""

    session_id: str
    replica_id: str
    streamer: StreamerReport
    state: LeaseState
    deadline: float
    """On the store's clock, when the promise lapses; a held session's lapses with its server's reports."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket's place in its queue."""

    ticket: Ticket
    position: int
    """1 is next in its app's queue."""
    since: float
    """On the store's clock."""


class FleetSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that a store knows at one moment."""

    now: float
    streamers: tuple[StreamerReport, ...]
    leases: tuple[Lease, ...]
    queue: tuple[Waiting, ...]
