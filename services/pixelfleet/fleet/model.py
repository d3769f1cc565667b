"""The data of the fleet store. Every fact has one owner, which repeats it as an absolute value on a heartbeat.

`name=` keeps the field names of stored JSON, which other releases read.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Literal

import msgspec

from pixelfleet.fleet.bounds import MAX_PRIORITY, RANK_EPOCH
from pixelfleet.fleet.limits import SessionLimits
from pixelfleet.fleet.records import NO_FACTS, NO_ORIGIN, Origin, SessionFacts
from pixelfleet.protocol.people import Invite

Policy = Literal["spread", "pack", "oldest"]
"""The free streamer that is chosen: the least recently used, one on the fullest machine, or the first registered."""


def key_of(server_id: str, endpoint_id: str) -> str:
    """Return a streamer's unique name in the fleet. Slashes in the server id are escaped to keep it unique."""
    return f"{server_id.replace('%', '%25').replace('/', '%2F')}/{endpoint_id}"


class StreamerReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One streamer, as its signalling server reports it."""

    server_id: str
    """The pod's UID, or an id generated at the server's start; with the endpoint id it names the streamer."""
    endpoint_id: str
    app: str
    url: str
    """The websocket URL for players, without a query."""
    rest_url: str = ""
    """The application's own REST API, if it has one."""
    dialect: str = "5.5"
    capacity: int = 1
    """Concurrent sessions; 0 is no limit."""
    labels: dict[str, str] = {}
    node: str = ""
    """The machine that it runs on, for the `pack` policy and for operators."""
    ready: bool = True
    draining: bool = False
    sessions: tuple[str, ...] = ()
    """The ids of the sessions that it holds."""
    spectators: tuple[str, ...] = msgspec.field(default=(), name="onlookers")
    """The ids of the sessions that occupy no slot: of spectators, and of guests unless these take slots."""
    guests: tuple[str, ...] = ()
    """The ids of those of both that are guests in the session of a host."""
    away: tuple[str, ...] = ()
    """The ids of those of both whose players are away: the connection has ended, and the session is kept."""
    warned: tuple[str, ...] = ()
    """The sessions whose players are warned of a limit, each as its id, a space, and the limit."""
    legacy: bool = msgspec.field(default=False, name="stock")
    """A legacy server has no session ids, and only counts its `players`."""
    players: int = 0
    """Players of a legacy server."""
    gives_input: bool = False
    """Whether it has offered a data channel to a spectator, against the server's request: spectators can send input."""

    @property
    def key(self) -> str:
        """The streamer's unique name in the fleet."""
        return key_of(self.server_id, self.endpoint_id)


class ServerReport(msgspec.Struct, frozen=True, kw_only=True):
    """All streamers of one server. It replaces the server's last report."""

    server_id: str
    sequence: int
    """Grows with every report of one owner; a report that is not newer than the last is refused."""
    streamers: tuple[StreamerReport, ...] = ()
    ended: tuple[str, ...] = ()
    """Sessions that have ended since the last accepted report; some may not have been in any report."""
    facts: Mapping[str, SessionFacts] = {}
    """What has changed since the last accepted report, by session."""
    owner: str = ""
    """Empty for the server's own report; otherwise the replica that holds a legacy server's connection."""
    fence: int = 0
    """With an owner: the fence from the reply to the connection's first report; 0 in that first report.

    Reports over the latest connection replace those over older ones."""


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """The store's reply to a report."""

    taken: bool
    """Whether the report was accepted: False for an old report, and for one over a replaced connection."""
    fence: int = 0
    """For an owner's further reports over the same connection."""
    end: tuple[str, ...] = ()
    """Sessions of this server that an operator has ended: close their players."""
    extend: tuple[tuple[str, float], ...] = ()
    """Sessions of this server that may last longer, each with a number of seconds."""


class UseLimit(msgspec.Struct, frozen=True, array_like=True):
    """What a person, or all persons of a tenant, may use."""

    name: str
    """A digest (hex) of the person or tenant."""
    sessions: int = 0
    """The simultaneous sessions, waiting ones included; 0 is no limit."""
    seconds: int = 0
    """The seconds a day (UTC) with a streamer; 0 is no limit."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A player's request for a streamer."""

    session_id: str
    replica_id: str
    """The matchmaker replica that holds the player's socket."""
    app: str
    wants: str = ""
    """A streamer's key or endpoint id, the id of a running session, or `*` for any streamer; empty for a free one.

    With `may_share`, the player becomes a spectator when the wanted streamer has no free slot.
    """
    may_share: bool = False
    spectator: bool = msgspec.field(default=False, name="looks_on")
    """Whether it occupies no slot even if one is free. A spectator has `wants`."""
    labels: dict[str, str] = {}
    """Labels that the streamer must have."""
    priority: int = 0
    """0 to MAX_PRIORITY; the highest is served first."""
    keeps_place: int = 0
    """The seconds for which its place in the queue is kept after its player was lost; 0 for a player that cannot
    return."""
    invite: Invite | None = None
    """The invite with which it joins a session. It has `wants`, and `spectator` unless guests occupy slots."""
    by_cookie: bool = False
    """Whether its page cannot return with a token, and its person is known by the router's cookie: a player of this
    person gets the streamer of such a session back while that is away."""
    limits: SessionLimits | None = None
    """The limits of its session; None for those of the server."""
    use_limits: tuple[UseLimit, ...] = ()
    """The limits that apply to its player. The session counts for each of them until it ends."""
    origin: Origin | None = None
    """What the record of its session has from its request; None without records."""
    client: str = ""
    """A digest (hex) of the player's address; empty for a client without limits. Next to the last field."""
    person: str = ""
    """A digest (hex) of what identifies the player across sessions; empty for an unknown person. The last field."""

    @property
    def sharing(self) -> int:
        """How it shares a streamer: 0 not at all, 1 as a spectator without a free slot, 2 always as a spectator."""
        return 2 if self.spectator else int(self.may_share)

    @property
    def selector(self) -> str:
        """The labels as one canonical text, which names a lane."""
        return selector_of(self.labels)


def rank_of(arrived: float, priority: int) -> float:
    """Return the sort key of a lane: the highest priority first, then the earliest arrival.

    `arrived` is in seconds. The rank counts microseconds and stays a whole number that a double holds exactly.
    """
    return rank_offset(priority) + round(arrived * 1e6)


def rank_offset(priority: int) -> int:
    """Return the part of a rank that does not depend on the arrival."""
    return (MAX_PRIORITY - priority) * 10**15 - RANK_EPOCH * 10**6


def selector_of(labels: dict[str, str]) -> str:
    """Return labels as one canonical text."""
    return "\x1e".join(f"{name}={value}" for name, value in sorted(labels.items())) if labels else ""


class LeaseState(Enum):
    """The progress of a lease."""

    MATCHED = "matched"
    """The ticket's replica has not claimed it yet."""
    CLAIMED = "claimed"
    """The replica dials for its player. On a legacy server it stays in this state while the replica relays."""
    HELD = "held"
    """The server has reported the session."""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A slot that is reserved for one session, or the right to spectate."""

    session_id: str
    replica_id: str
    streamer: StreamerReport
    state: LeaseState
    spectator: bool = False
    since: float = 0.0
    """The time of the match, on the store's clock."""
    arrived: float = 0.0
    """The time at which its ticket joined the queue; it orders restored tickets."""
    deadline: float = 0.0
    """The time at which it expires, on the store's clock; 0 if it expires only with its owner."""
    origin: Origin = NO_ORIGIN
    """What its record will have from its player's request; only in a snapshot."""
    facts: SessionFacts = NO_FACTS
    """What its server has reported of it; only in a snapshot."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket in its lane."""

    ticket: Ticket
    arrived: float
    """On the store's clock. A ticket that waits again keeps it."""

    @property
    def rank(self) -> float:
        """The sort key of its lane."""
        return rank_of(self.arrived, self.ticket.priority)


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """The store's reply to a replica's heartbeat."""

    epoch: str
    """Changes after a store reset: the replica then restores its sessions."""
    warming_up: bool
    """True while the store matches no tickets because reports are still missing."""
    matching_in: float = 0.0
    """The seconds until it matches tickets; 0 unless it is warming up."""
    sessions: int
    """The number of this replica's tickets and leases in the store."""
    leases: tuple[Lease, ...] = ()
    """Leases that were matched for this replica's tickets; this reply claims them."""
    end: tuple[str, ...] = ()
    """Sessions of this replica that an operator has ended: close their players."""
    moved: tuple[str, ...] = ()
    """Sessions whose players have returned through another replica, which owns them now."""
    operator_drained: tuple[str, ...] = ()
    """Keys of all streamers with an operator drain. Replicas restore them after a store reset."""
    connection: int = 0
    """Changes when the connection to the store was lost. Replies may be lost too, so the replica restores."""
    warning: str = ""
    """Why the server of the store can lose data that it has confirmed; empty if it cannot."""


class LaneView(msgspec.Struct, frozen=True, kw_only=True):
    """The data of one lane for positions and estimates."""

    lane: str
    length: int
    head: tuple[str, ...] = ()
    """The sessions at the first positions, next first."""
    marks: tuple[tuple[float, int], ...] = ()
    """Pairs of (rank, position), growing. Positions between them are interpolated."""
    ends_per_second: float = 0.0
    """The recent rate at which sessions of the lane's app ended; 0 if unknown. It changes only when a session ends."""
    served: bool = True
    """Whether a streamer, free or not, satisfies the lane's tickets; True while the store is warming up."""


class AppTotals(msgspec.Struct, frozen=True, kw_only=True):
    """One app's share of the fleet."""

    streamers: int = 0
    """Streamers that are ready and not drained."""
    slots: float = 0
    """The sum of their capacities; infinite with a streamer that has no limit."""
    used: int = 0
    """Slots with a held session or a lease."""
    available: int = 0
    """Streamers with a free slot."""
    waiting: int = 0
    quarantined: int = 0
    """Streamers in quarantine."""
    oldest_wait: float = 0.0
    """The longest wait of a ticket, in seconds; tickets that want one particular streamer do not count."""
    unscalable: int = 0
    """Waiting tickets that a further streamer would not serve: they want one particular streamer, or labels that no
    streamer has although the app has streamers."""
    unusable: int = 0
    """Slots of connected streamers that take no further player: the occupied ones of streamers that are not ready or
    drain, and the free ones of streamers that are drained by an operator or in quarantine."""

    @property
    def demand(self) -> int:
        """The slots of ready streamers that would serve all its players."""
        return self.used + self.waiting - self.unscalable

    @property
    def wanted(self) -> int:
        """The slots that would serve all its players, beside those that take none."""
        return self.demand + self.unusable


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of the fleet."""

    now: float
    warming_up: bool
    apps: dict[str, AppTotals] = {}
    """The known apps: those that have or recently had a streamer, and those of the settings with a waiting ticket."""
    unknown_waiting: int = 0
    """Waiting tickets of all other apps."""


class StreamerView(msgspec.Struct, frozen=True, kw_only=True):
    """A streamer's report and the store's own facts about it."""

    report: StreamerReport
    seen: float
    """The time of its first report, on the store's clock."""
    used: float
    """The time of its last match; 0 for never."""
    leased: int
    """Leases whose session its server has not reported yet."""
    operator_drained: bool = False
    quarantined_until: float = 0.0
    failures: int = 0
    """Failed dials in a row."""


class FleetSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a store, for operators and tests. In a large fleet its parts are not read at the same moment."""

    now: float
    streamers: tuple[StreamerView, ...]
    leases: tuple[Lease, ...]
    queue: tuple[Waiting, ...]


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change by an operator."""

    action: str
    target: str
    """The key of a streamer, or the id of a session, a player or a server."""
    subject: str
    """The operator's name; empty if only a token was presented, or nothing."""
    method: str
    """How the operator was authenticated."""
    address: str
    """The IP address of the operator's client."""
    service: str
    """The service that made the change."""
    id: str = ""
    """Set by the store: the time in microseconds, which no other event has."""
    at: float = 0.0
    """Set by the store: the time of the event, in seconds."""
