"""The sessions of one replica in the fleet store: sends them, receives what becomes of them, and sends them again when
the store has been reset.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from itertools import islice
from typing import Final

import structlog

from matchmaker.departures import Departures
from matchmaker.notices import Ended, Matched, Notice, Refused, StoreFound, StoreLost
from matchmaker.sessions import QueueEntry, Sessions
from pixelfleet.fleet.bounds import EXPIRY_SECONDS, HEARTBEAT_SECONDS, RENEW_SECONDS
from pixelfleet.fleet.model import Lease, Ticket
from pixelfleet.fleet.store import FleetStore, Placed, StoreUnavailableError, TooManyChoicesError

log = structlog.get_logger(__name__)

CONTACT_SECONDS: Final = 2 * HEARTBEAT_SECONDS
"""A lease is used only by a replica that has spoken with the store this lately: one that was frozen, or cut off, may
hold promises that have been given to others since."""

AT_ONCE: Final = 100
"""How many sessions are said or told together, in the order of their arrival, before something else gets its turn."""


class Broker:
    """All sessions of one replica that the store must know from it: those that wait, those on their way, and those
    that it relays to stock servers.
    """

    def __init__(self, store: FleetStore, replica_id: str, *, on_restore: Callable[[], None] = lambda: None) -> None:
        """`on_restore` is called after a reset of the store, for others in this process that report to it, too."""
        self.store = store
        self.replica_id = replica_id
        self.sessions = Sessions()
        self.notices: asyncio.Queue[Notice] = asyncio.Queue()
        """What players have to be notified of; some task must take them from here."""
        self._operator_drained: tuple[str, ...] = ()
        self.departures = Departures(store, replica_id)
        self._epoch = ""
        self._connection = 0
        self._spoke = float("-inf")
        self._lost = False
        """Whether those who wait have been told that the store is out of reach."""
        self._loop = asyncio.get_running_loop()
        self._on_restore = on_restore
        self.warming_up = True
        """Whether the store matches nobody yet because owners still report."""

    def __len__(self) -> int:
        return len(self.sessions)

    @property
    def waiting(self) -> dict[str, QueueEntry]:
        """The sessions that have no lease, in the order in which they came here."""
        return self.sessions.waiting

    @property
    def in_reach(self) -> bool:
        """Whether the store has answered lately."""
        return self._loop.time() - self._spoke < CONTACT_SECONDS

    @property
    def has_more_to_say(self) -> bool:
        """Whether sessions are left that the store must hear of, or are being told."""
        return bool(self.sessions or self.departures)

    def knows(self, session_id: str) -> bool:
        """Whether a session is one of those that this replica answers for."""
        return session_id in self.sessions

    # -- players ------------------------------------------------------------------------------------

    async def join(self, ticket: Ticket) -> Lease | None:
        """Put a player into the queue; return its lease, or None while it waits. Raises TooManyChoicesError.

        While the store is out of reach the player waits behind those who wait for that already. A lease that comes
        later comes as a notice.
        """
        entry = self.sessions.enter(ticket)
        if self.sessions.unsent:
            self._later(entry)
            return None
        self.departures.take_pending()
        return await self._answer(entry, self.store.join(ticket))

    def leave(self, session_id: str) -> None:
        """Take a player out, wherever it is."""
        if self.sessions.leave(session_id):
            self.departures.add(session_id)

    def arrived(self, session_id: str) -> None:
        """Say that a player is with its streamer. From then on a server of ours answers for it, not this replica."""
        self.sessions.arrived(session_id)

    async def give_back(self, session_id: str, *, unreachable: bool) -> Lease | None:
        """Return a streamer that the player could not have; return another lease, or None while it waits.

        It waits in its old place. Raises TooManyChoicesError.
        """
        again = self.sessions.wait_again(session_id)
        if again is None:
            return None
        entry, streamer = again
        return await self._answer(entry, self._replaced(entry.ticket, streamer, unreachable))

    async def leave_queue(self) -> None:
        """Take everyone out who waits: another replica may have them."""
        for session_id in list(self.waiting):
            self.leave(session_id)
        await self.departures.send()

    def may_dial(self) -> bool:
        """Whether a lease may be used now."""
        return self.in_reach

    # -- the store ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the sessions alive and hand out what was matched, until cancelled."""
        while True:
            if await self.turn():
                await self.store.wait(self.replica_id, RENEW_SECONDS)
            else:
                await asyncio.sleep(RENEW_SECONDS)

    async def turn(self) -> bool:
        """Speak with the store once; return whether it answered."""
        try:
            await self._keep()
        except StoreUnavailableError as error:
            log.warning("fleet store is out of reach", why=str(error), sessions=len(self.sessions))
            self._lost = True
            await self._tell(self._tell_lost)
            return False
        return True

    async def _keep(self) -> None:
        before = self._loop.time()
        renewal = await self.store.renew(self.replica_id, self._epoch)
        forgotten = before - self._spoke >= EXPIRY_SECONDS
        known = (renewal.epoch, renewal.connection)
        lost = bool(self._epoch) and (known != (self._epoch, self._connection) or forgotten)
        self._spoke = before
        if self.warming_up and not renewal.warming_up:
            log.info("fleet store matches")
        self.warming_up = renewal.warming_up
        stale = [lease.session_id for lease in renewal.leases if not self._hand_out(lease)]
        if stale:
            # Not with the other ends of sessions: what is said of these from here on must come after this.
            await self.store.leave(*stale, replica_id=self.replica_id)
        if lost:
            # What was handed out just now is said with the rest.
            log.warning("saying all sessions again", sessions=len(self.sessions))
            await self._restore(forgotten=renewal.epoch != self._epoch)
        else:
            self._operator_drained = renewal.operator_drained
        self._epoch, self._connection = known
        for session_id in renewal.end:
            if (entry := self.sessions.here(session_id)) is not None:
                self.notices.put_nowait(Ended(entry.ticket.session_id))
        await self._say_what_is_unsaid()
        if self._lost:
            self._lost = False
            await self._tell(self._tell_found)

    def _hand_out(self, lease: Lease) -> bool:
        """Give a player what was matched for it; return whether there is one who waits for that."""
        entry = self.sessions.get(lease.session_id)
        if entry is None or entry.lease is not None:
            # It has left, or is with a streamer already: this promise came from a lapse that was none.
            return False
        self._placed(entry, lease)
        return True

    async def _restore(self, *, forgotten: bool) -> None:
        """Say every session again: the store has forgotten them with all else, or gave them up."""
        self._on_restore()
        tickets, leases, unsettled = self.sessions.statement(forgotten=forgotten)
        operator_drained = self._operator_drained if forgotten else ()
        await self.store.restore(self.replica_id, tickets, leases, unsettled, operator_drained)

    async def _replaced(self, ticket: Ticket, streamer: str, unreachable: bool) -> Placed:
        placed = await self.store.give_back(ticket.session_id, streamer, unreachable=unreachable)
        return placed if placed is not None else await self.store.join(ticket)

    async def _answer(self, entry: QueueEntry, asked: Coroutine[None, None, Placed]) -> Lease | None:
        """Return the lease that a player's own task gets from the store, or None while the player waits."""
        entry.asking = True
        try:
            self._answered(entry, await asked)
        except StoreUnavailableError:
            self._later(entry)
        except TooManyChoicesError:
            self.sessions.forget(entry)
            raise
        finally:
            entry.asking = False
        return entry.lease

    async def _say(self, entry: QueueEntry) -> None:
        """Put a ticket into its queue for which no task waits."""
        try:
            self._answered(entry, await self.store.join(entry.ticket))
        except TooManyChoicesError as error:
            if self.sessions.forget(entry):
                self.notices.put_nowait(Refused(entry.ticket.session_id, str(error)))

    def _answered(self, entry: QueueEntry, placed: Placed) -> None:
        session_id = entry.ticket.session_id
        if self.sessions.get(session_id) is entry:
            self._placed(entry, placed)
        else:  # it left while it was being put there
            self.departures.add(session_id)

    def _placed(self, entry: QueueEntry, placed: Placed) -> None:
        self.sessions.unsent.pop(entry.ticket.session_id, None)
        if entry.lease is not None:
            # Its lease has come by another answer already.
            entry.settled = True
            return
        entry.arrived = placed.arrived
        entry.settled = True
        if isinstance(placed, Lease):
            self.sessions.placed(entry, placed)
            if not entry.asking:
                self.notices.put_nowait(Matched(entry.ticket.session_id, placed))
        else:
            self._tell_found(entry)

    def _later(self, entry: QueueEntry) -> None:
        session_id = entry.ticket.session_id
        if self.sessions.get(session_id) is entry:
            self.sessions.unsent[session_id] = entry
            self._tell_lost(entry)

    async def _say_what_is_unsaid(self) -> None:
        """Catch up on what could not be said while the store was away; what fails again stays first in line."""
        await self.departures.resend()
        while unsent := list(islice(self.sessions.unsent.values(), AT_ONCE)):
            await _all(map(self._say, unsent))

    async def _tell(self, tell: Callable[[QueueEntry], None]) -> None:
        """Tell everyone who waits, a part at a time."""
        rest = iter(list(self.waiting.values()))
        while part := list(islice(rest, AT_ONCE)):
            for entry in part:
                if entry.lease is None:
                    tell(entry)
            await asyncio.sleep(0)

    def _tell_lost(self, entry: QueueEntry) -> None:
        if not entry.told_lost:
            entry.told_lost = True
            self.notices.put_nowait(StoreLost(entry.ticket.session_id))

    def _tell_found(self, entry: QueueEntry) -> None:
        if entry.told_lost:
            entry.told_lost = False
            self.notices.put_nowait(StoreFound(entry.ticket.session_id))


async def _all(calls: Iterable[Awaitable[None]]) -> None:
    """Make calls together, in this order; when all have ended, raise the first error there was."""
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
