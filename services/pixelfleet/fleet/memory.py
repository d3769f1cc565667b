"""The fleet store of a single process: for `pixelfleet demo`, for one box, for tests. What happens is in `book`."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pixelfleet.fleet.book import views
from pixelfleet.fleet.book.book import Book
from pixelfleet.fleet.book.state import State
from pixelfleet.fleet.model import (
    FleetSnapshot,
    Kept,
    LaneView,
    Lease,
    Policy,
    Reported,
    ServerReport,
    StreamerView,
    Ticket,
    Totals,
)
from pixelfleet.fleet.store import Placed, StoreUnavailableError

MAX_REDEEMED: Final = 100_000
"""Things used up that are remembered; beyond that nothing is, and so nothing can be used."""


class MemoryFleetStore:
    """Keeps everything in dicts; the event loop makes each method atomic, since none awaits in the middle.

    It loses nothing while its process lives: it is never young, and its epoch never changes.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or _clock()
        self._book = Book(f"{self._clock() * 1e6:.0f}")
        self._heard: dict[str, asyncio.Event] = {}
        self._redeemed: dict[str, float] = {}

    # -- for owners of streamers --------------------------------------------------------------------

    async def report(self, report: ServerReport) -> Reported:
        """Replace what is known of one server's streamers."""
        with self._call() as book:
            return book.report(report)

    # -- for matchmaker replicas --------------------------------------------------------------------

    async def keep(self, replica_id: str, known_epoch: str) -> Kept:
        """Say that a replica is alive, and claim what was matched for it."""
        with self._call() as book:
            return book.keep(replica_id)

    async def join(self, ticket: Ticket) -> Placed:
        """Give a ticket a streamer, or a place in its queue."""
        with self._call() as book:
            placed = book.join(ticket, ticket.replica_id)
        assert placed is not None
        return placed

    async def leave(self, *session_ids: str, replica_id: str = "") -> None:
        """Take sessions out."""
        with self._call() as book:
            for session_id in session_ids:
                book.leave(session_id, replica_id)

    async def give_back(self, session_id: str, streamer: str = "", *, unreachable: bool) -> Placed | None:
        """Return a claimed lease."""
        with self._call() as book:
            return book.give_back(session_id, streamer, unreachable=unreachable)

    async def offer(self, ticket: Ticket) -> Lease | None:
        """Lease a free streamer to a page that dials by itself."""
        with self._call() as book:
            placed = book.join(ticket, "")
        return placed if isinstance(placed, Lease) else None

    async def restore(
        self,
        replica_id: str,
        tickets: Sequence[tuple[Ticket, float]],
        leases: Sequence[tuple[Ticket, Lease]],
        unsettled: Sequence[str] = (),
        held_back: Sequence[str] = (),
    ) -> None:
        """Make a replica's sessions exactly these. Of streamers that are held back this store has lost nothing."""
        with self._call() as book:
            book.restore(replica_id, tickets, leases, unsettled)

    async def set_policies(self, policies: Mapping[str, Policy]) -> None:
        """Say how free streamers are chosen."""
        with self._call() as book:
            book.set_policies(policies)

    async def wait(self, replica_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - nothing new is not an error
        """Wait until something was matched for a replica."""
        heard = self._heard.setdefault(replica_id, asyncio.Event())
        try:
            async with asyncio.timeout(timeout):
                await heard.wait()
        except TimeoutError:
            return False
        heard.clear()
        return True

    # -- for operators and numbers ------------------------------------------------------------------

    async def hold_back(self, key: str, on: bool) -> bool:
        """Match nobody to a streamer any more, or do again."""
        with self._call() as book:
            return book.hold_back(key, on=on)

    async def end(self, session_id: str) -> bool:
        """Have whoever holds a session end it."""
        with self._call() as book:
            return book.end(session_id)

    async def lanes(self, names: Sequence[str]) -> list[LaneView]:
        """Return what players are told of these queues."""
        state = self._seen()
        return [views.lane(state, name) for name in names]

    async def totals(self) -> Totals:
        """Return the fleet in numbers."""
        return views.totals(self._seen())

    async def snapshot(self) -> FleetSnapshot:
        """Return all that the store knows."""
        return views.snapshot(self._seen())

    async def redeem(self, name: str, until: float) -> bool:
        """Use something up that may be used once."""
        now = self._clock()
        if self._redeemed.get(name, 0.0) > now:
            return False
        if len(self._redeemed) >= MAX_REDEEMED:
            self._redeemed = {each: kept for each, kept in self._redeemed.items() if kept > now}
        if len(self._redeemed) >= MAX_REDEEMED:
            raise StoreUnavailableError("too many links that serve once are remembered")
        self._redeemed[name] = until
        return True

    async def find(self, streamer: str) -> StreamerView | None:
        """Return one streamer."""
        return views.find(self._seen(), streamer)

    # -- inside -------------------------------------------------------------------------------------

    def _call(self) -> "_Call":
        return _Call(self._book, self._clock(), self._announce)

    def _seen(self) -> State:
        with self._call() as book:
            return book.state

    def _announce(self, replica_id: str) -> None:
        self._heard.setdefault(replica_id, asyncio.Event()).set()


class _Call:
    """One call on the book: what is over lapses before it, and who was matched by it is woken after it."""

    __slots__ = ("_announce", "_book", "_now")

    def __init__(self, book: Book, now: float, announce: Callable[[str], None]) -> None:
        self._book = book
        self._now = now
        self._announce = announce

    def __enter__(self) -> Book:
        self._book.begin(self._now)
        return self._book

    def __exit__(self, *_: object) -> None:
        for replica_id in self._book.woken():
            self._announce(replica_id)


def _clock() -> Callable[[], float]:
    """Return a clock that tells unix time and never goes back: arrivals are ordered by it."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()
