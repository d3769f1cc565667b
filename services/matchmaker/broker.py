"""The sessions of one replica in the fleet store: says them, hears what becomes of them, and says them again when
the store has forgotten.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from pixelfleet.fleet.model import EXPIRY_SECONDS, HEARTBEAT_SECONDS, KEEP_SECONDS, Lease, Ticket
from pixelfleet.fleet.store import FleetStore, Placed, StoreUnavailableError, lane_of

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 2 * HEARTBEAT_SECONDS
"""A lease is used only by a replica that has spoken with the store this lately: one that was frozen, or cut off, may
hold promises that have been given to others since."""

JOINS_AT_ONCE: Final = 100
"""How many tickets that could not be said are said together, in the order of their arrival."""


class Waiter(Protocol):
    """A player, as the broker knows it."""

    @property
    def ticket(self) -> Ticket:
        """What it waits for."""

    def waits(self) -> None:
        """Hear that it is in the queue."""

    def matched(self, lease: Lease) -> None:
        """Take the streamer: dial it."""

    def store_lost(self) -> None:
        """Hear that nobody is matched for the moment."""

    def ended(self) -> None:
        """Close: an operator has ended the session."""


@dataclass(slots=True, eq=False)
class Entry:
    """One session of this replica's."""

    waiter: Waiter
    arrived: float = 0.0
    """On the store's clock; 0 until the store has taken the ticket."""
    lease: Lease | None = None
    lane: str = ""
    settled: bool = False
    """Whether this replica knows what the store has made of it; False while an answer is awaited, or was lost."""
    told_lost: bool = False

    def __post_init__(self) -> None:
        self.lane = lane_of(self.waiter.ticket)


class Broker:
    """All sessions of one replica that the store must know from it: those that wait, those on their way, and those
    that it relays to stock servers.
    """

    def __init__(self, store: FleetStore, replica_id: str) -> None:
        self.store = store
        self.replica_id = replica_id
        self._entries: dict[str, Entry] = {}
        self.waiting: dict[str, Entry] = {}
        """Those of them that have no lease, in the order in which they came here."""
        self._unsaid: dict[str, Entry] = {}
        self._gone: set[str] = set()
        self._epoch = ""
        self._connection = 0
        self._spoke = float("-inf")
        self._loop = asyncio.get_running_loop()
        self.on_restore: Callable[[], None] = lambda: None
        """Called when the store has forgotten: others in this process may have to say what they own, too."""
        self.young = True
        """Whether the store matches nobody yet because owners still report."""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def in_reach(self) -> bool:
        """Whether the store has answered lately."""
        return self._loop.time() - self._spoke < FRESH_SECONDS

    def knows(self, session_id: str) -> bool:
        """Whether a session is one of those that this replica answers for."""
        return session_id in self._entries

    # -- players ------------------------------------------------------------------------------------

    async def join(self, waiter: Waiter) -> None:
        """Put a player into the queue; raise TooManyChoicesError. Without the store it is put there later."""
        session_id = waiter.ticket.session_id
        entry = self._entries[session_id] = self.waiting[session_id] = Entry(waiter)
        await self._join(entry)

    async def leave(self, session_id: str) -> None:
        """Take a player out, wherever it is."""
        if self._entries.pop(session_id, None) is None:
            return
        self.waiting.pop(session_id, None)
        self._unsaid.pop(session_id, None)
        try:
            await self.store.leave(session_id)
        except StoreUnavailableError:
            self._gone.add(session_id)

    def arrived(self, session_id: str) -> None:
        """Say that a player is with its streamer. From then on a server of ours answers for it, not this replica."""
        entry = self._entries.get(session_id)
        if entry is not None and entry.lease is not None and not entry.lease.streamer.stock:
            del self._entries[session_id]

    async def give_back(self, session_id: str, *, unreachable: bool) -> None:
        """Return a streamer that the player could not have; it gets another one or waits in its old place."""
        entry = self._entries.get(session_id)
        if entry is None:
            return
        entry.lease = None
        entry.settled = False
        self.waiting[session_id] = entry
        try:
            placed = await self.store.give_back(session_id, unreachable=unreachable)
            if placed is None:
                placed = await self.store.join(entry.waiter.ticket)
        except StoreUnavailableError:
            self._later(entry)
        else:
            self._placed(entry, placed)

    def may_dial(self) -> bool:
        """Whether a lease may be used now."""
        return self.in_reach

    # -- the store ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the sessions alive and hand out what was matched, until cancelled."""
        while True:
            try:
                await self._keep()
            except StoreUnavailableError as error:
                self._lost(str(error))
                await asyncio.sleep(KEEP_SECONDS)
            else:
                await self.store.wait(self.replica_id, KEEP_SECONDS)

    async def _keep(self) -> None:
        before = self._loop.time()
        kept = await self.store.keep(self.replica_id, self._epoch)
        forgotten = before - self._spoke >= EXPIRY_SECONDS
        known = (kept.epoch, kept.connection)
        lost = bool(self._epoch) and (known != (self._epoch, self._connection) or forgotten)
        self._epoch, self._connection, self._spoke = kept.epoch, kept.connection, before
        if self.young and not kept.young:
            log.info("fleet store matches")
        self.young = kept.young
        for lease in kept.leases:
            await self._hand_out(lease)
        if lost:
            # What was handed out just now is said with the rest.
            log.warning("saying all sessions again", sessions=len(self._entries))
            await self._restore()
        for session_id in kept.end:
            if (entry := self._entries.get(session_id)) is not None:
                entry.waiter.ended()
        await self._say_what_is_unsaid()

    async def _hand_out(self, lease: Lease) -> None:
        entry = self._entries.get(lease.session_id)
        if entry is None or entry.lease is not None:
            # It has left, or is with a streamer already: this promise came from a lapse that was none.
            await self.store.leave(lease.session_id)
        else:
            self._placed(entry, lease)

    async def _restore(self) -> None:
        """Say every session again: the store has lost them, or gave them up."""
        self.on_restore()
        tickets, leases, unsettled = [], [], []
        for session_id, entry in self._entries.items():
            if not entry.settled:
                unsettled.append(session_id)
            elif entry.lease is not None:
                leases.append((entry.waiter.ticket, entry.lease))
            else:
                tickets.append((entry.waiter.ticket, entry.arrived))
        await self.store.restore(self.replica_id, tickets, leases, unsettled)

    async def _join(self, entry: Entry) -> None:
        try:
            placed = await self.store.join(entry.waiter.ticket)
        except StoreUnavailableError:
            self._later(entry)
        else:
            await self._joined(entry, placed)

    async def _joined(self, entry: Entry, placed: Placed) -> None:
        session_id = entry.waiter.ticket.session_id
        if self._entries.get(session_id) is entry:
            self._placed(entry, placed)
        else:  # it left while it was being put there
            await self.store.leave(session_id)

    def _placed(self, entry: Entry, placed: Placed) -> None:
        self._unsaid.pop(entry.waiter.ticket.session_id, None)
        if entry.lease is not None:
            # It has heard of its lease already, by another answer.
            entry.settled = True
            return
        entry.arrived = placed.arrived
        entry.settled = True
        entry.told_lost = False
        if isinstance(placed, Lease):
            entry.lease = placed
            self.waiting.pop(placed.session_id, None)
            entry.waiter.matched(placed)
        else:
            entry.waiter.waits()

    def _later(self, entry: Entry) -> None:
        self._unsaid[entry.waiter.ticket.session_id] = entry
        self._tell_lost(entry)

    async def _say_what_is_unsaid(self) -> None:
        """Catch up on what could not be said while the store was away."""
        for session_id in list(self._gone):
            await self.store.leave(session_id)
            self._gone.discard(session_id)
        while self._unsaid:
            entries = list(self._unsaid.values())[:JOINS_AT_ONCE]
            for entry in entries:
                del self._unsaid[entry.waiter.ticket.session_id]
            await asyncio.gather(*(self._join(entry) for entry in entries))

    def _lost(self, why: str) -> None:
        log.warning("fleet store is out of reach", why=why, sessions=len(self._entries))
        for entry in self.waiting.values():
            self._tell_lost(entry)

    def _tell_lost(self, entry: Entry) -> None:
        if not entry.told_lost:
            entry.told_lost = True
            entry.waiter.store_lost()
