"""Connects the sessions of one replica to the fleet store.

The broker sends tickets, extends sessions, delivers leases to players, and restores all sessions after a store reset.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from itertools import islice
from typing import Final

import structlog

from matchmaker.departures import Departures
from matchmaker.notices import Ended, Matched, Moved, Notice, Refused, StoreAvailable, StoreUnavailable
from matchmaker.restatement import Restatement
from matchmaker.sessions import QueueEntry, Sessions
from pixelfleet.fleet.bounds import EXPIRY_SECONDS, HEARTBEAT_SECONDS, RENEW_SECONDS
from pixelfleet.fleet.model import Lease, Ticket
from pixelfleet.fleet.store import (
    FleetStore,
    KickedError,
    Placed,
    StoreRefusedError,
    StoreUnavailableError,
    TicketRefusedError,
)
from pixelfleet.protocol import close_codes

log = structlog.get_logger(__name__)

CONTACT_SECONDS: Final = 2 * HEARTBEAT_SECONDS
"""A lease is used only within this time after an answer of the store. The store may have expired the leases of a
replica that was suspended or cut off for longer, and given the slots to other players."""

LINGER_SECONDS: Final = 5.0
"""A legacy server that did not answer a close keeps its lease for this time."""

RETRY_SECONDS: Final = 0.5
"""The interval of heartbeats while the store is unavailable."""

BATCH_SIZE: Final = 100
"""Sessions that are sent or notified together, in the order of their arrival, before other tasks run."""


class Broker:
    """The sessions that one replica owns, and their state in the store."""

    def __init__(self, store: FleetStore, replica_id: str, *, on_restore: Callable[[], None] = lambda: None) -> None:
        """`on_restore` is called when sessions are restored, so that others in this process report again, too."""
        self.store = store
        self.replica_id = replica_id
        self.sessions = Sessions()
        self.notices: asyncio.Queue[Notice] = asyncio.Queue()
        """Notices for players; a task of the caller must take them."""
        self._operator_drained: tuple[str, ...] = ()
        self.departures = Departures(store, replica_id)
        self._epoch = ""
        self._connection = 0
        self._last_contact = float("-inf")
        self._unavailable = False
        """Whether waiting players were notified that the store is unavailable."""
        self._loop = asyncio.get_running_loop()
        self._restatement = Restatement(store, replica_id, self.sessions)
        self._on_restore = on_restore
        self._pause = RENEW_SECONDS
        """The longest time until the next heartbeat."""
        self.warming_up = True
        """Whether the store matches no player yet, because reports are still missing."""
        self.refused = False
        """Whether the store refused the last heartbeat, which lasts until an operator changes a setting."""
        self.store_warning = ""
        """Why the server of the store can lose data; empty if it cannot."""

    def __len__(self) -> int:
        """The number of owned sessions."""
        return len(self.sessions)

    @property
    def waiting(self) -> dict[str, QueueEntry]:
        """Sessions without a lease, in the order of their arrival."""
        return self.sessions.waiting

    @property
    def has_pending_work(self) -> bool:
        """Whether there are owned sessions, or departures to send."""
        return bool(self.sessions or self.departures)

    def owns(self, session_id: str) -> bool:
        """Whether this replica owns a session, and not a signalling server."""
        return session_id in self.sessions

    # -- players ------------------------------------------------------------------------------------

    async def join(self, ticket: Ticket, *, returns: bool = False) -> Lease | None:
        """Put a player into the queue, or into the place to which it returns; return its lease, or None while it waits.

        While the store is unavailable, tickets are kept in the order of their arrival. A later lease is a notice.
        Raises TicketRefusedError or KickedError.
        """
        if returns:
            self.departures.withdraw(ticket.session_id)
        entry = self.sessions.add(ticket, returns=returns)
        if self.sessions.unsent:
            self._defer(entry)
            return None
        self.departures.flush()
        return await self._request(entry, self.store.join(ticket, returns=returns))

    def leave(self, session_id: str, *, may_return: bool = False, code: int | None = None) -> None:
        """End a session, with the close code of its player's connection if that is known.

        The store keeps the place of a player that may return.
        """
        if self.sessions.remove(session_id):
            self.departures.add(session_id, may_return=may_return, code=code)

    async def leave_late(self, session_id: str, code: int | None) -> None:
        """End a session whose legacy server did not answer a close, once it must have detected that the player left."""
        await asyncio.sleep(LINGER_SECONDS)
        self.leave(session_id, code=code)

    def arrived(self, session_id: str) -> None:
        """Record that a player is connected to its streamer. The signalling server, unless legacy, is now the owner."""
        self.sessions.hand_over(session_id)

    def handed_over(self, session_id: str) -> None:
        """Record that a router has connected a player to its streamer. This replica keeps nothing of the session."""
        self.sessions.release(session_id)

    async def give_back(self, session_id: str, *, unreachable: bool) -> Lease | None:
        """Return a lease that cannot be used; return another lease, or None while the player waits.

        The player keeps its position in the queue. Raises TicketRefusedError or KickedError.
        """
        requeued = self.sessions.requeue(session_id)
        if requeued is None:
            return None
        entry, streamer = requeued
        return await self._request(entry, self._give_back(entry.ticket, streamer, unreachable))

    async def leave_queue(self) -> None:
        """End all waiting sessions: another replica may queue the players."""
        for session_id, entry in list(self.waiting.items()):
            may_return = entry.ticket.keeps_place > 0
            self.leave(session_id, may_return=may_return, code=close_codes.SHUTTING_DOWN.code)
        await self.departures.send()

    async def seconds_left(self, ticket: Ticket) -> float:
        """Return how long a session may last by the limits of its ticket, at least 1 s; 0 for no limit.

        While the store is unavailable there is no limit.
        """
        try:
            left = await self.store.seconds_left(ticket)
        except StoreUnavailableError as error:
            log.warning("time of a session is not limited", session=ticket.session_id, why=str(error))
            left = None
        return 0.0 if left is None else max(1.0, left)

    def may_dial(self) -> bool:
        """Whether a lease may be used: whether the store answered within CONTACT_SECONDS."""
        return self._loop.time() - self._last_contact < CONTACT_SECONDS

    # -- the store ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Extend the sessions and deliver leases, until cancelled."""
        while True:
            if await self.renew():
                await self.store.wait(self.replica_id, self._pause)
            else:
                await asyncio.sleep(RETRY_SECONDS)

    async def renew(self) -> bool:
        """Send one heartbeat and act on the answer; return False when the store is unavailable."""
        try:
            await self._renew()
        except StoreUnavailableError as error:
            if not self._unavailable:
                log.warning("fleet store unavailable", why=str(error), sessions=len(self.sessions))
            self._unavailable = True
            self.refused = isinstance(error, StoreRefusedError)
            await self._for_each_waiting(self._notify_unavailable)
            return False
        self.refused = False
        return True

    async def _renew(self) -> None:
        started = self._loop.time()
        self._restatement.before_heartbeat()
        renewal = await self.store.renew(self.replica_id, self._epoch)
        expired = started - self._last_contact >= EXPIRY_SECONDS
        contact = (renewal.epoch, renewal.connection)
        must_restore = bool(self._epoch) and (contact != (self._epoch, self._connection) or expired)
        self._last_contact = started
        if self.warming_up and not renewal.warming_up:
            log.info("fleet store ready")
        self.warming_up, self.store_warning = renewal.warming_up, renewal.warning
        # The first call after the warm-up makes the first matches.
        self._pause = min(RENEW_SECONDS, renewal.matching_in) if renewal.warming_up else RENEW_SECONDS
        stale = [lease.session_id for lease in renewal.leases if not self._deliver(lease)]
        if stale:
            # Not through `departures`: these must be processed before any later call about the same sessions.
            await self.store.leave(*stale, replica_id=self.replica_id)
        if must_restore:
            # Includes the leases that were just delivered.
            log.warning("restoring sessions", sessions=len(self.sessions))
            await self._restore(store_reset=renewal.epoch != self._epoch)
        else:
            self._operator_drained = renewal.operator_drained
            await self._restatement.after_heartbeat(renewal.sessions, started)
        self._epoch, self._connection = contact
        for session_id in renewal.moved:
            if (owned := self.sessions.get(session_id)) is not None:
                self.sessions.discard(owned)
                self.notices.put_nowait(Moved(session_id))
        for session_id in renewal.end:
            if (entry := self.sessions.find(session_id)) is not None:
                self.notices.put_nowait(Ended(entry.ticket.session_id))
        await self._send_unsent()
        if self._unavailable:
            self._unavailable = False
            await self._for_each_waiting(self._notify_available)

    def _deliver(self, lease: Lease) -> bool:
        """Assign a lease to its session; return whether that session was waiting."""
        entry = self.sessions.get(lease.session_id)
        if entry is None or entry.lease is not None:
            # The player left, or already has a streamer: the store expired a session that was still in use.
            return False
        self._place(entry, lease)
        return True

    async def _restore(self, *, store_reset: bool) -> None:
        """Send all sessions again to a store that has lost or expired them."""
        self._on_restore()
        tickets, leases, unsettled = self.sessions.snapshot(store_reset=store_reset)
        operator_drained = self._operator_drained if store_reset else ()
        await self.store.restore(self.replica_id, tickets, leases, unsettled, operator_drained)

    async def _give_back(self, ticket: Ticket, streamer: str, unreachable: bool) -> Placed:
        placed = await self.store.give_back(ticket.session_id, streamer, unreachable=unreachable)
        return placed if placed is not None else await self.store.join(ticket)

    async def _request(self, entry: QueueEntry, call: Coroutine[None, None, Placed]) -> Lease | None:
        """Await a call of the store for a player's task; return the lease, or None while the player waits."""
        entry.awaited = True
        try:
            self._answered(entry, await call)
        except StoreUnavailableError:
            self._defer(entry)
        except (TicketRefusedError, KickedError):
            self.sessions.discard(entry)
            raise
        finally:
            entry.awaited = False
        return entry.lease

    async def _join_deferred(self, entry: QueueEntry) -> None:
        """Send a deferred ticket; no player's task awaits the answer."""
        try:
            self._answered(entry, await self.store.join(entry.ticket, returns=entry.returns))
        except TicketRefusedError as error:
            if self.sessions.discard(entry):
                self.notices.put_nowait(Refused(entry.ticket.session_id, error))
        except KickedError:
            if self.sessions.discard(entry):
                self.notices.put_nowait(Ended(entry.ticket.session_id))

    def _answered(self, entry: QueueEntry, placed: Placed) -> None:
        session_id = entry.ticket.session_id
        if isinstance(placed, Lease) and placed.session_id != session_id:
            self._bring_back(entry, placed)
        elif self.sessions.get(session_id) is entry:
            self._place(entry, placed)
        elif session_id not in self.sessions:  # the player left during the call
            self.departures.add(session_id, may_return=entry.ticket.keeps_place > 0)

    def _bring_back(self, entry: QueueEntry, lease: Lease) -> None:
        """Give a player the lease of its away session, which its signalling server owns. Its own session ends."""
        entry.lease = lease
        if self.sessions.discard(entry) and not entry.awaited:
            self.notices.put_nowait(Matched(entry.ticket.session_id, lease))

    def _place(self, entry: QueueEntry, placed: Placed) -> None:
        self.sessions.unsent.pop(entry.ticket.session_id, None)
        entry.settled = True
        if entry.lease is not None:
            return  # another answer delivered it
        entry.arrived = placed.arrived
        if isinstance(placed, Lease):
            self.sessions.set_lease(entry, placed)
            if not entry.awaited:
                self.notices.put_nowait(Matched(entry.ticket.session_id, placed))
        else:
            entry.wait_for(placed.ticket.wants)
            self._notify_available(entry)

    def _defer(self, entry: QueueEntry) -> None:
        """Keep a ticket until the store is available."""
        session_id = entry.ticket.session_id
        if self.sessions.get(session_id) is entry:
            self.sessions.unsent[session_id] = entry
            self._notify_unavailable(entry)

    async def _send_unsent(self) -> None:
        """Send what could not be sent while the store was unavailable. What fails again keeps its order."""
        await self.departures.resend()
        while unsent := list(islice(self.sessions.unsent.values(), BATCH_SIZE)):
            await _gather(map(self._join_deferred, unsent))

    async def _for_each_waiting(self, notify: Callable[[QueueEntry], None]) -> None:
        """Call `notify` for each waiting session, in batches."""
        entries = iter(list(self.waiting.values()))
        while batch := list(islice(entries, BATCH_SIZE)):
            for entry in batch:
                if entry.lease is None:
                    notify(entry)
            await asyncio.sleep(0)

    def _notify_unavailable(self, entry: QueueEntry) -> None:
        if not entry.notified_unavailable:
            entry.notified_unavailable = True
            self.notices.put_nowait(StoreUnavailable(entry.ticket.session_id))

    def _notify_available(self, entry: QueueEntry) -> None:
        if entry.notified_unavailable:
            entry.notified_unavailable = False
            self.notices.put_nowait(StoreAvailable(entry.ticket.session_id))


async def _gather(calls: Iterable[Awaitable[None]]) -> None:
    """Run calls concurrently, started in order; when all have ended, raise the first error."""
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
