"""What the fleet store holds. Every fact has one owner, who repeats it as an absolute value on a heartbeat."""

from enum import Enum
from typing import Literal

import msgspec

from pixelfleet.fleet.bounds import MAX_PRIORITY, RANK_EPOCH

Policy = Literal["spread", "pack", "oldest"]
"""Which free streamer is taken: the least recently used, one on the fullest node, the one that is here longest."""


def key_of(server_id: str, endpoint_id: str) -> str:
    """Return a streamer's name in the whole fleet; slashes of the server's id are escaped, so that no other has it."""
    return f"{server_id.replace('%', '%25').replace('/', '%2F')}/{endpoint_id}"


class StreamerReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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
    node: str = ""
    """The machine that it runs on, for the `pack` policy and for people."""
    ready: bool = True
    draining: bool = False
    sessions: tuple[str, ...] = ()
    """The ids of the sessions that it holds right now."""
    spectators: tuple[str, ...] = msgspec.field(default=(), name="onlookers")
    """The ids of the sessions that look on at another's; they take up no slot."""
    legacy: bool = msgspec.field(default=False, name="stock")
    """A server of the reference kind: it knows no sessions, and only counts its `players`."""
    players: int = 0
    """Players of a stock server."""

    @property
    def key(self) -> str:
        """The streamer's name in the whole fleet."""
        return key_of(self.server_id, self.endpoint_id)


class ServerReport(msgspec.Struct, frozen=True, kw_only=True):
    """All streamers of one server; it replaces what was known of that server."""

    server_id: str
    sequence: int
    """Grows with every report of one owner; an older report than the last is refused."""
    streamers: tuple[StreamerReport, ...] = ()
    ended: tuple[str, ...] = ()
    """Sessions that have ended since the last report that was taken: some may never have been in one."""
    owner: str = ""
    """Empty when the server reports for itself; else the replica that holds a stock server's link."""
    fence: int = 0
    """With an owner: the number that the first report over a link was given, or 0 for that first report. The latest
    link speaks for a stock server, whoever did before."""


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What a store says to a report."""

    taken: bool
    """False for an older report than the last, and for one by somebody who no longer speaks for the server."""
    fence: int = 0
    """For an owner's further reports over the same link."""
    end: tuple[str, ...] = ()
    """Sessions of this server's that an operator has ended: close their players."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A player that waits."""

    session_id: str
    replica_id: str
    """The matchmaker replica that holds the player's socket."""
    app: str
    wants: str = ""
    """A streamer's key or endpoint id, or the id of a session under way, or `*` for any streamer; empty for a free one.

    Who wants something looks on, if it may, when that streamer's slots are taken.
    """
    may_share: bool = False
    spectator: bool = msgspec.field(default=False, name="looks_on")
    """A spectator: it takes no slot, also where one is free. It wants something."""
    labels: dict[str, str] = {}
    """What the streamer's labels must say."""
    priority: int = 0
    """0 to MAX_PRIORITY; the highest is served first."""

    @property
    def sharing(self) -> int:
        """How it shares a streamer: 0 not at all, 1 when the slots are taken, 2 in any case."""
        return 2 if self.spectator else int(self.may_share)

    @property
    def selector(self) -> str:
        """The labels in one canonical text: what a store's lanes are named by."""
        return selector_of(self.labels)


def rank_of(arrived: float, priority: int) -> float:
    """Return what a lane is ordered by: the highest priority first, then the earliest arrival.

    `arrived` is in seconds. The rank counts microseconds and stays a whole number that a double holds exactly.
    """
    return rank_offset(priority) + round(arrived * 1e6)


def rank_offset(priority: int) -> int:
    """Return the part of a rank that does not depend on the arrival."""
    return (MAX_PRIORITY - priority) * 10**15 - RANK_EPOCH * 10**6


def selector_of(labels: dict[str, str]) -> str:
    """Return labels as one text that is the same for the same labels."""
    return "\x1e".join(f"{name}={value}" for name, value in sorted(labels.items())) if labels else ""


class LeaseState(Enum):
    """How far a promise has come."""

    MATCHED = "matched"
    """By the store; the ticket's replica has not yet said "mine"."""
    CLAIMED = "claimed"
    """Its player is on its way. For a stock server it stays so: the replica renews it while it relays."""
    HELD = "held"
    """The server has reported the session."""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A slot that is promised to one session, or leave to look on."""

    session_id: str
    replica_id: str
    streamer: StreamerReport
    state: LeaseState
    spectator: bool = False
    since: float = 0.0
    """When it was matched, on the store's clock."""
    arrived: float = 0.0
    """When its ticket joined the queue: what a restored ticket is put in order by."""
    deadline: float = 0.0
    """On the store's clock, when the promise lapses; 0 when it lapses with its owner alone."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that is in its queue."""

    ticket: Ticket
    arrived: float
    """On the store's clock; it keeps this when it has to wait again."""

    @property
    def rank(self) -> float:
        """What its lane is ordered by."""
        return rank_of(self.arrived, self.ticket.priority)


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """What a store says to a replica's heartbeat."""

    epoch: str
    """Changes when the store has lost what it knew: the replica then restores its sessions."""
    warming_up: bool
    """True while nothing is matched because owners are still reporting."""
    sessions: int
    """How many tickets and leases of this replica the store knows."""
    leases: tuple[Lease, ...] = ()
    """Leases that were matched for this replica's tickets; by this answer they are claimed."""
    end: tuple[str, ...] = ()
    """Sessions of this replica's that an operator has ended: close their players."""
    operator_drained: tuple[str, ...] = ()
    """Keys of all streamers that an operator holds back: what a replica has to say to a store that has lost it."""
    connection: int = 0
    """Another than before when the way to the store was lost: answers may be, too, and the replica restores."""


class LaneView(msgspec.Struct, frozen=True, kw_only=True):
    """One queue, as far as players are told of it. A lane holds those who want the same of one app."""

    lane: str
    length: int
    head: tuple[str, ...] = ()
    """The sessions at the first places, next first."""
    marks: tuple[tuple[float, int], ...] = ()
    """Pairs of (rank key, place), growing: between them a place is guessed."""
    ends_per_second: float = 0.0
    """How fast sessions of the lane's app have ended lately; 0 when that is not known."""


class AppTotals(msgspec.Struct, frozen=True, kw_only=True):
    """One app's share of the fleet."""

    streamers: int = 0
    """Those that are ready and not draining."""
    slots: float = 0
    """The sum of their capacities; infinite with a streamer that has no limit."""
    used: int = 0
    """Of these, held or promised."""
    available: int = 0
    """Streamers with a free slot."""
    waiting: int = 0
    quarantined: int = 0
    """Streamers that are left alone because they could not be reached."""
    oldest_wait: float = 0.0
    """Seconds."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet in numbers: the same for whoever asks."""

    now: float
    warming_up: bool
    apps: dict[str, AppTotals] = {}


class StreamerView(msgspec.Struct, frozen=True, kw_only=True):
    """A streamer, and what the store makes of it."""

    report: StreamerReport
    seen: float
    """Since when it is known, on the store's clock."""
    used: float
    """When it was last matched; 0 for never."""
    promised: int
    """Leases whose session its server has not reported yet."""
    operator_drained: bool = False
    """An operator drains it."""
    quarantined_until: float = 0.0
    failures: int = 0
    """Failed dials in a row."""


class FleetSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that a store knows, for people and for tests; its parts may be a moment apart in a large fleet."""

    now: float
    streamers: tuple[StreamerView, ...]
    leases: tuple[Lease, ...]
    queue: tuple[Waiting, ...]
