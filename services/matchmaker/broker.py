"""The sessions of one replica in the fleet store: says them, hears what becomes of them, and says them again when
the store has forgotten.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from typing import Final

import structlog

from matchmaker.departures import Leaves
from matchmaker.sessions import Entry, Sessions, Waiter
from pixelfleet.fleet.bounds import EXPIRY_SECONDS, HEARTBEAT_SECONDS, KEEP_SECONDS
from pixelfleet.fleet.model import Lease
from pixelfleet.fleet.store import FleetStore, Placed, StoreUnavailableError, TooManyChoicesError

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 2 * HEARTBEAT_SECONDS
"""A lease is used only by a replica that has spoken with the store this lately: one that was frozen, or cut off, may
hold promises that have been given to others since."""

AT_ONCE: Final = 100
"""How many sessions are said or told together, in the order of their arrival, before something else gets its turn."""


class Broker:
    """All sessions of one replica that the store must know from it: those that wait, those on their way, and those
    that it relays to stock servers.
    """

    def __init__(self, store: FleetStore, replica_id: str) -> None:
        self.store = store
        self.replica_id = replica_id
        self.sessions = Sessions()
        self._held_back: tuple[str, ...] = ()
        self.leaves = Leaves(store, replica_id)
        self._epoch = ""
        self._connection = 0
        self._spoke = float("-inf")
        self._lost = False
        """Whether those who wait have been told that the store is out of reach."""
        self._loop = asyncio.get_running_loop()
        self.on_restore: Callable[[], None] = lambda: None
        """Called when the store has forgotten: others in this process may have to say what they own, too."""
        self.young = True
        """Whether the store matches nobody yet because owners still report."""

    def __len__(self) -> int:
        return len(self.sessions)

    @property
    def waiting(self) -> dict[str, Entry]:
        """The sessions that have no lease, in the order in which they came here."""
        return self.sessions.waiting

    @property
    def in_reach(self) -> bool:
        """Whether the store has answered lately."""
        return self._loop.time() - self._spoke < FRESH_SECONDS

    @property
    def has_more_to_say(self) -> bool:
        """Whether sessions are left that the store must hear of, or are being told."""
        return bool(self.sessions or self.leaves)

    def knows(self, session_id: str) -> bool:
        """Whether a session is one of those that this replica answers for."""
        return session_id in self.sessions

    # -- players ------------------------------------------------------------------------------------

    async def join(self, waiter: Waiter) -> None:
        """Put a player into the queue; without the store later, behind those who wait for that already."""
        entry = self.sessions.enter(waiter)
        if self.sessions.unsaid:
            self._later(entry)
            return
        self.leaves.go_along()
        try:
            await self._say(entry)
        except StoreUnavailableError:
            self._later(entry)

    def leave(self, session_id: str) -> None:
        """Take a player out, wherever it is."""
        if self.sessions.leave(session_id):
            self.leaves.add(session_id)

    def arrived(self, session_id: str) -> None:
        """Say that a player is with its streamer. From then on a server of ours answers for it, not this replica."""
        self.sessions.arrived(session_id)

    async def give_back(self, session_id: str, *, unreachable: bool) -> None:
        """Return a streamer that the player could not have; it gets another one or waits in its old place."""
        again = self.sessions.wait_again(session_id)
        if again is None:
            return
        entry, streamer = again
        try:
            placed = await self.store.give_back(session_id, streamer, unreachable=unreachable)
            if placed is None:
                await self._say(entry)
            else:
                await self._answered(entry, placed)
        except StoreUnavailableError:
            self._later(entry)

    async def leave_queue(self) -> None:
        """Take everyone out who waits: another replica may have them."""
        for session_id in list(self.waiting):
            self.leave(session_id)
        await self.leaves.say()

    def may_dial(self) -> bool:
        """Whether a lease may be used now."""
        return self.in_reach

    # -- the store ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the sessions alive and hand out what was matched, until cancelled."""
        while True:
            if await self.turn():
                await self.store.wait(self.replica_id, KEEP_SECONDS)
            else:
                await asyncio.sleep(KEEP_SECONDS)

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
        kept = await self.store.keep(self.replica_id, self._epoch)
        forgotten = before - self._spoke >= EXPIRY_SECONDS
        known = (kept.epoch, kept.connection)
        lost = bool(self._epoch) and (known != (self._epoch, self._connection) or forgotten)
        self._spoke = before
        if self.young and not kept.young:
            log.info("fleet store matches")
        self.young = kept.young
        stale = [lease.session_id for lease in kept.leases if not self._hand_out(lease)]
        if stale:
            # Not with the other ends of sessions: what is said of these from here on must come after this.
            await self.store.leave(*stale, replica_id=self.replica_id)
        if lost:
            # What was handed out just now is said with the rest.
            log.warning("saying all sessions again", sessions=len(self.sessions))
            await self._restore(forgotten=kept.epoch != self._epoch)
        else:
            self._held_back = kept.held_back
        self._epoch, self._connection = known
        for session_id in kept.end:
            if (entry := self.sessions.here(session_id)) is not None:
                entry.waiter.ended()
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
        self.on_restore()
        tickets, leases, unsettled = self.sessions.statement(forgotten=forgotten)
        held_back = self._held_back if forgotten else ()
        await self.store.restore(self.replica_id, tickets, leases, unsettled, held_back)

    async def _say(self, entry: Entry) -> None:
        """Put a ticket into its queue."""
        try:
            placed = await self.store.join(entry.waiter.ticket)
        except TooManyChoicesError as error:
            if self.sessions.forget(entry):
                entry.waiter.refused(str(error))
        else:
            await self._answered(entry, placed)

    async def _answered(self, entry: Entry, placed: Placed) -> None:
        session_id = entry.waiter.ticket.session_id
        if self.sessions.get(session_id) is entry:
            self._placed(entry, placed)
        else:  # it left while it was being put there
            self.leaves.add(session_id)

    def _placed(self, entry: Entry, placed: Placed) -> None:
        self.sessions.unsaid.pop(entry.waiter.ticket.session_id, None)
        if entry.lease is not None:
            # It has heard of its lease already, by another answer.
            entry.settled = True
            return
        entry.arrived = placed.arrived
        entry.settled = True
        if isinstance(placed, Lease):
            self.sessions.placed(entry, placed)
            entry.waiter.matched(placed)
        else:
            entry.waiter.waits()
            self._tell_found(entry)

    def _later(self, entry: Entry) -> None:
        session_id = entry.waiter.ticket.session_id
        if self.sessions.get(session_id) is entry:
            self.sessions.unsaid[session_id] = entry
            self._tell_lost(entry)

    async def _say_what_is_unsaid(self) -> None:
        """Catch up on what could not be said while the store was away; what fails again stays first in line."""
        await self.leaves.say_again()
        while unsaid := list(islice(self.sessions.unsaid.values(), AT_ONCE)):
            await _all(map(self._say, unsaid))

    async def _tell(self, tell: Callable[[Entry], None]) -> None:
        """Tell everyone who waits, a part at a time."""
        rest = iter(list(self.waiting.values()))
        while part := list(islice(rest, AT_ONCE)):
            for entry in part:
                if entry.lease is None:
                    tell(entry)
            await asyncio.sleep(0)

    def _tell_lost(self, entry: Entry) -> None:
        if not entry.told_lost:
            entry.told_lost = True
            entry.waiter.store_lost()

    def _tell_found(self, entry: Entry) -> None:
        if entry.told_lost:
            entry.told_lost = False
            entry.waiter.store_found()


async def _all(calls: Iterable[Awaitable[None]]) -> None:
    """Make calls together, in this order; when all have ended, raise the first error there was."""
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
