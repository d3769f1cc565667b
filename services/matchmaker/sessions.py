"""The sessions of one replica that the store must know from it: those that wait, those on their way, and those that it
relays to stock servers. No I/O.
"""

from dataclasses import dataclass
from typing import NamedTuple

from pixelfleet.fleet.model import Lease, Ticket
from pixelfleet.fleet.store import lane_of


@dataclass(slots=True, eq=False)
class QueueEntry:
    """One session of this replica's."""

    ticket: Ticket
    arrived: float = 0.0
    """On the store's clock; 0 until the store has taken the ticket."""
    lease: Lease | None = None
    lane: str = ""
    settled: bool = False
    """Whether this replica knows what the store has made of it; False while an answer is awaited, or was lost."""
    asking: bool = False
    """Whether the player's task waits for an answer of the broker: that answer has the lease, and no notice is due."""
    told_lost: bool = False
    resent: bool = False
    """Whether this replica told a store that had forgotten of its streamer: that store must hear of its end, too."""

    def __post_init__(self) -> None:
        self.lane = lane_of(self.ticket)


class Statement(NamedTuple):
    """All that a replica knows, for a store that has forgotten it."""

    tickets: list[tuple[Ticket, float]]
    leases: list[tuple[Ticket, Lease]]
    unsettled: list[str]
    """Sessions of which the store may know more than this replica."""


class Sessions:
    """Which sessions there are, and what this replica knows of each."""

    def __init__(self) -> None:
        self._known: dict[str, QueueEntry] = {}
        self.waiting: dict[str, QueueEntry] = {}
        """Those of them that have no lease, in the order in which they came here."""
        self.unsent: dict[str, QueueEntry] = {}
        """Those of them that the store could not be told of."""
        self._playing: dict[str, QueueEntry] = {}
        """Those that are with a server of ours, which answers for them. It knows no more than their ids: this replica
        says the rest to a store that has forgotten."""

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, session_id: str) -> bool:
        """Whether a session is one of those that this replica answers for."""
        return session_id in self._known

    def get(self, session_id: str) -> QueueEntry | None:
        """Return one of those that this replica answers for."""
        return self._known.get(session_id)

    def here(self, session_id: str) -> QueueEntry | None:
        """Return one whose player is here, whoever answers for it."""
        return self._known.get(session_id) or self._playing.get(session_id)

    def enter(self, ticket: Ticket) -> QueueEntry:
        """Know a player that has come."""
        entry = self._known[ticket.session_id] = self.waiting[ticket.session_id] = QueueEntry(ticket)
        return entry

    def wait_again(self, session_id: str) -> tuple[QueueEntry, str] | None:
        """Have one that lost its streamer wait again; return it and that streamer's key, or None for a stranger."""
        entry = self._known.get(session_id)
        if entry is None:
            return None
        streamer = entry.lease.streamer.key if entry.lease is not None else ""
        entry.lease = None
        entry.settled = False
        self.waiting[session_id] = entry
        return entry, streamer

    def placed(self, entry: QueueEntry, lease: Lease) -> None:
        """Note a lease."""
        entry.lease, entry.told_lost = lease, False
        self.waiting.pop(lease.session_id, None)

    def arrived(self, session_id: str) -> None:
        """Leave one to its server, if that is one of ours."""
        entry = self._known.get(session_id)
        if entry is not None and entry.lease is not None and not entry.lease.streamer.legacy:
            self._playing[session_id] = self._known.pop(session_id)

    def leave(self, session_id: str) -> bool:
        """Know one no more; return whether the store must hear of its end from here."""
        playing = self._playing.pop(session_id, None)
        if playing is not None:
            return playing.resent
        entry = self._known.get(session_id)
        return entry is not None and self.forget(entry)

    def forget(self, entry: QueueEntry) -> bool:
        """Know one no more that this replica answers for; return whether it was known."""
        session_id = entry.ticket.session_id
        if self._known.get(session_id) is not entry:
            return False
        del self._known[session_id]
        self.waiting.pop(session_id, None)
        self.unsent.pop(session_id, None)
        return True

    def statement(self, *, forgotten: bool) -> Statement:
        """Return all there is to say to a store that has given these sessions up, or forgotten everything."""
        said = Statement([], [], [])
        for session_id, entry in self._playing.items():
            if forgotten and entry.lease is not None:
                entry.resent = True
                said.leases.append((entry.ticket, entry.lease))
            elif entry.resent:
                said.unsettled.append(session_id)  # its server may not have said so much yet
        for session_id, entry in self._known.items():
            if not entry.settled:
                said.unsettled.append(session_id)
            elif entry.lease is not None:
                said.leases.append((entry.ticket, entry.lease))
            else:
                said.tickets.append((entry.ticket, entry.arrived))
        return said
