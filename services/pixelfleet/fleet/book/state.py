"""What the book of the fleet has in it. All times are whole microseconds."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

import msgspec

from pixelfleet.fleet.book.ranked import Ranked
from pixelfleet.fleet.model import Lease, LeaseState, Policy, StreamerReport, Ticket, Waiting

KEPT_ENDS: Final = 128
ENDS_AFTER_CUT: Final = 64
"""When a session ended is remembered of an app's latest ones: so many, and then so many again."""

Adds = tuple[int, int, int, int, int]
"""A streamer's part of its app's totals: streamers, slots, streamers without a limit, used slots, set aside."""

NOTHING: Final[Adds] = (0, 0, 0, 0, 0)


def micros(seconds: float) -> int:
    """Return seconds in microseconds."""
    return round(seconds * 1e6)


def parts_of(selector: str) -> frozenset[str]:
    """Return the single labels of a text that names several."""
    return frozenset(selector.split("\x1e")) if selector else frozenset()


@dataclass(slots=True)
class Streamer:
    """One streamer: what its server said, and what it adds to the indexes and totals of its app."""

    report: StreamerReport
    selector: str
    labels: frozenset[str]
    seen: int
    held_back: bool
    live: int = 0
    """Leases that the server has not reported."""
    shared: int = 0
    """The same of those who look on."""
    used: int = 0
    aside: int = 0
    fails: int = 0
    failed_by: dict[str, int] = field(default_factory=dict)
    """The replicas that could not reach it lately, and until when that counts."""
    taken: int = 0
    free: int | None = None
    """Its place among the free streamers, if it is one."""
    looked_on: int | None = None
    """Its place among those that are ready, if it is."""
    adds: Adds = NOTHING
    held: set[str] = field(default_factory=set)
    """Sessions with a ticket that the server has reported."""


@dataclass(slots=True)
class Session:
    """A ticket, and its lease if it has one."""

    ticket: Ticket
    replica: str
    """Empty for a page that dials by itself."""
    wants: str
    lane: str
    rank: int
    arrived: int
    state: LeaseState | None = None
    """None while it waits."""
    key: str = ""
    shared: bool = False
    since: int = 0
    deadline: int = 0
    avoids: dict[str, int] = field(default_factory=dict)
    orphan: StreamerReport | None = None
    """Its streamer as it was last known, for a lease that outlives it."""

    @property
    def selector(self) -> str:
        """The labels that it asks for."""
        return self.ticket.selector

    def waiting(self) -> Waiting:
        """Return a waiting ticket as it was made, but for what it was found to want and whose it is now."""
        made = self.ticket
        if (made.wants, made.replica_id) != (self.wants, self.replica):
            made = msgspec.structs.replace(made, wants=self.wants, replica_id=self.replica)
        return Waiting(ticket=made, arrived=self.arrived / 1e6)


@dataclass(slots=True)
class Server:
    """Who speaks for some streamers."""

    sequence: int
    fence: int
    owner: str
    streamers: tuple[StreamerReport, ...] | None = None


@dataclass(slots=True)
class App:
    """What streamers and tickets of one app are found by."""

    free: dict[str, Ranked] = field(default_factory=lambda: {"": Ranked()})
    """The free streamers by choice of labels, in the order in which they are taken."""
    ready: Ranked = field(default_factory=Ranked)
    choices: Ranked = field(default_factory=Ranked)
    """Choices of labels that players have asked for, by last use."""
    parts: dict[str, frozenset[str]] = field(default_factory=dict)
    streamers: set[str] = field(default_factory=set)
    endpoints: dict[str, set[str]] = field(default_factory=dict)
    nodes: dict[str, set[str]] = field(default_factory=dict)
    busy: Counter[str] = field(default_factory=Counter)
    totals: list[int] = field(default_factory=lambda: list(NOTHING))
    waiting: Ranked = field(default_factory=Ranked)
    """By arrival."""
    ends: deque[int] = field(default_factory=deque)
    """When sessions ended, the latest first."""


@dataclass(slots=True)
class State:
    """All of it. The steps in the other modules of this folder are functions of this."""

    now: int = 0
    last: int = 0
    """The latest arrival."""
    behind: bool = False
    """Whether somebody waits who would be served if this call were allowed to take longer."""
    due: Ranked = field(default_factory=Ranked)
    """What lapses when: v:server, r:replica, l:session, a:streamer, p:app, b:streamer, e: (to catch up)."""
    servers: dict[str, Server] = field(default_factory=dict)
    streamers: dict[str, Streamer] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    leased: dict[str, set[str]] = field(default_factory=dict)
    """By streamer, sessions with a lease that no server has reported."""
    replicas: set[str] = field(default_factory=set)
    of_replica: dict[str, set[str]] = field(default_factory=dict)
    """Sessions by replica."""
    links: dict[str, set[str]] = field(default_factory=dict)
    """Stock servers by the replica that holds their link."""
    news: dict[str, dict[str, None]] = field(default_factory=dict)
    """By replica, sessions that were matched and not yet fetched."""
    apps: dict[str, App] = field(default_factory=dict)
    lanes: dict[str, Ranked] = field(default_factory=dict)
    """Waiting sessions by lane and rank; no lane is empty."""
    looked_at: Ranked = field(default_factory=Ranked)
    """The lanes by the last look for somebody to catch up with."""
    policies: dict[str, Policy] = field(default_factory=dict)
    held_back: set[str] = field(default_factory=set)
    to_end: dict[str, set[str]] = field(default_factory=dict)
    """Sessions to end, by who holds them: server:NAME or replica:NAME."""
    woken: Counter[str] = field(default_factory=Counter)
    """By replica, what was matched for it in this call without its asking."""
    returned: list[str] = field(default_factory=list)
    """Sessions that wait again since this call began."""

    def lease_of(self, session_id: str) -> Lease | None:
        """Return a session's lease as others see it."""
        session = self.sessions[session_id]
        known = self.streamers.get(session.key)
        report = known.report if known is not None else session.orphan
        if report is None or session.state is None:
            return None
        return Lease(
            session_id=session_id,
            replica_id=session.replica,
            streamer=report,
            state=session.state,
            shared=session.shared,
            since=session.since / 1e6,
            arrived=session.arrived / 1e6,
            deadline=session.deadline / 1e6,
        )


def discard(groups: dict[str, set[str]], name: str, member: str) -> bool:
    """Take a member out of a group, and the group when it is empty; return whether it was there."""
    group = groups.get(name)
    if group is None or member not in group:
        return False
    group.discard(member)
    if not group:
        del groups[name]
    return True
