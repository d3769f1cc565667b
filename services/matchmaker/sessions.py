"""The sessions of one replica, and which of them the replica owns. No I/O.

A replica owns the sessions that wait, those on their way to a streamer, and those that it relays to legacy servers.
"""

from dataclasses import dataclass
from typing import NamedTuple

from msgspec import structs

from pixelfleet.fleet.model import Lease, Ticket
from pixelfleet.fleet.store import lane_of


@dataclass(slots=True, eq=False)
class QueueEntry:
    """One session of this replica: its ticket, and its lease once it is matched."""

    ticket: Ticket
    arrived: float = 0.0
    """On the store's clock; 0 until the store has accepted the ticket."""
    lease: Lease | None = None
    settled: bool = False
    """False while the store's answer for this session is pending or was lost."""
    awaited: bool = False
    """Whether the player's task awaits a call of the broker, which returns the lease: then no notice is queued."""
    notified_unavailable: bool = False
    """Whether the player was last notified that the store is unavailable."""
    returns: bool = False
    """Whether the player returns to a place that the store keeps."""
    restored: bool = False
    """Whether this replica restored the session of another owner after a store reset: it then reports the end, too."""

    _lane: str = ""

    @property
    def lane(self) -> str:
        """The name of the lane in which it waits. Most sessions get a lease at once and never need it."""
        if not self._lane:
            self._lane = lane_of(self.ticket)
        return self._lane

    def wait_for(self, wants: str) -> None:
        """Wait in the lane of what the ticket wants: the store has replaced a session by its streamer."""
        if wants != self.ticket.wants:
            self.ticket = structs.replace(self.ticket, wants=wants)
            self._lane = ""


class SessionsSnapshot(NamedTuple):
    """All sessions of a replica, as the store needs them after a reset."""

    tickets: list[tuple[Ticket, float]]
    leases: list[tuple[Ticket, Lease]]
    unsettled: list[str]
    """Sessions whose state in the store may be newer than the one here."""


class Sessions:
    """The sessions of one replica by their ids."""

    def __init__(self) -> None:
        self._owned: dict[str, QueueEntry] = {}
        self.waiting: dict[str, QueueEntry] = {}
        """Owned sessions without a lease, in the order of their arrival."""
        self.unsent: dict[str, QueueEntry] = {}
        """Owned sessions whose ticket could not be sent to the store."""
        self.removals = 0
        """How many owned sessions were removed or handed over so far."""
        self._handed_over: dict[str, QueueEntry] = {}
        """Sessions owned by their signalling server. It reports only their ids: after a store reset this replica
        restores the rest."""

    def __len__(self) -> int:
        """The number of owned sessions."""
        return len(self._owned)

    def __contains__(self, session_id: str) -> bool:
        """Whether this replica owns a session."""
        return session_id in self._owned

    def get(self, session_id: str) -> QueueEntry | None:
        """Return an owned session."""
        return self._owned.get(session_id)

    def find(self, session_id: str) -> QueueEntry | None:
        """Return a session whose player is connected here, whether owned or handed over."""
        return self._owned.get(session_id) or self._handed_over.get(session_id)

    def add(self, ticket: Ticket, *, returns: bool = False) -> QueueEntry:
        """Add the session of a new or returning player, without a lease; an earlier entry is replaced."""
        session_id = ticket.session_id
        entry = self._owned[session_id] = self.waiting[session_id] = QueueEntry(ticket, returns=returns)
        return entry

    def requeue(self, session_id: str) -> tuple[QueueEntry, str] | None:
        """Remove a session's lease; return the session and the key of its streamer, or None if it is not owned."""
        entry = self._owned.get(session_id)
        if entry is None:
            return None
        streamer = entry.lease.streamer.key if entry.lease is not None else ""
        entry.lease = None
        entry.settled = False
        self.waiting[session_id] = entry
        return entry, streamer

    def set_lease(self, entry: QueueEntry, lease: Lease) -> None:
        """Store the lease of a session that waited."""
        entry.lease, entry.notified_unavailable = lease, False
        self.waiting.pop(lease.session_id, None)

    def hand_over(self, session_id: str) -> None:
        """Make the signalling server the owner of a session. Sessions with a legacy server stay with this replica."""
        entry = self._owned.get(session_id)
        if entry is not None and entry.lease is not None and not entry.lease.streamer.legacy:
            self._handed_over[session_id] = self._owned.pop(session_id)
            self.removals += 1

    def release(self, session_id: str) -> None:
        """Forget a session that its signalling server owns and whose player is connected elsewhere."""
        if self._owned.pop(session_id, None) is not None:
            self.removals += 1

    def remove(self, session_id: str) -> bool:
        """Remove a session; return whether this replica must report its end."""
        handed_over = self._handed_over.pop(session_id, None)
        if handed_over is not None:
            return handed_over.restored
        entry = self._owned.get(session_id)
        return entry is not None and self.discard(entry)

    def discard(self, entry: QueueEntry) -> bool:
        """Remove an owned session; return whether it was present."""
        session_id = entry.ticket.session_id
        if self._owned.get(session_id) is not entry:
            return False
        del self._owned[session_id]
        self.removals += 1
        self.waiting.pop(session_id, None)
        self.unsent.pop(session_id, None)
        return True

    def acknowledged(self) -> int:
        """Return the number of owned sessions that the store has acknowledged."""
        return sum(entry.settled for entry in self._owned.values())

    def snapshot(self, *, store_reset: bool) -> SessionsSnapshot:
        """Return all sessions to restore in a store that has expired them or, with `store_reset`, lost all data."""
        snapshot = SessionsSnapshot([], [], [])
        for session_id, entry in self._handed_over.items():
            if store_reset and entry.lease is not None:
                entry.restored = True
                snapshot.leases.append((entry.ticket, entry.lease))
            elif entry.restored:
                snapshot.unsettled.append(session_id)  # its server may not have reported it yet
        for session_id, entry in self._owned.items():
            if not entry.settled:
                snapshot.unsettled.append(session_id)
            elif entry.lease is not None:
                snapshot.leases.append((entry.ticket, entry.lease))
            else:
                snapshot.tickets.append((entry.ticket, entry.arrived))
        return snapshot
