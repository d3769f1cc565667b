"""A fleet store that goes away and forgets when a test says so, and players that only record what they receive."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from matchmaker.broker import Broker
from matchmaker.notices import Ended, Matched, Notice, Refused, StoreFound, StoreLost
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import Lease, ServerReport, StreamerReport, Ticket
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError, TooManyChoicesError


class Clock:
    """The store's clock."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Store:
    """A memory store behind a line that may be cut; each call is noted by its name, however it ends."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.inner = MemoryFleetStore(self.clock)
        self.away = False
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.cut_after: int | None = None
        """So many calls more, then it is away."""
        self.refuse_joins = False

    @property
    def real(self) -> FleetStore:
        """Itself, under the type that it stands in for."""
        return cast("FleetStore", self)

    def forget(self) -> None:
        """Lose everything: a new epoch begins."""
        self.clock.now += 1.0
        self.inner = MemoryFleetStore(self.clock)

    def named(self, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of all calls of a name."""
        return [arguments for called, arguments in self.calls if called == name]

    async def streamer(
        self, number: int = 1, *, legacy: bool = False, sequence: int = 1, **fields: Any
    ) -> StreamerReport:
        """Have a streamer reported."""
        name = f"s{number}"
        given = {"app": "default", "url": f"ws://10.0.0.{number}:4000", "legacy": legacy, **fields}
        report = StreamerReport(server_id=name, endpoint_id="cam", **given)
        owner = "elsewhere" if legacy else ""
        await self.inner.report(ServerReport(server_id=name, sequence=sequence, streamers=(report,), owner=owner))
        return report

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append((name, (*arguments, *options.values())))
            if self.cut_after is not None:
                self.cut_after -= 1
                self.away = self.away or self.cut_after < 0
            if self.away:
                raise StoreUnavailableError("cut")
            if self.refuse_joins and name == "join":
                raise TooManyChoicesError("too many different choices")
            return await getattr(self.inner, name)(*arguments, **options)

        return call


def ticket(number: int = 1, **fields: Any) -> Ticket:
    return Ticket(session_id=f"{number:032x}", replica_id="here", **{"app": "default", **fields})


class Waiter:
    """A player that records the broker's answers and notices."""

    def __init__(self, number: int = 1, **fields: Any) -> None:
        self.ticket = ticket(number, **fields)
        self.heard: list[str] = []
        self.leases: list[Lease] = []

    async def ask(self, answer: Awaitable[Lease | None]) -> None:
        """Have an answer of the broker's, as a player's task does."""
        try:
            lease = await answer
        except TooManyChoicesError as error:
            self.heard.append(f"refused: {error}")
        else:
            self._placed(lease)

    def notified(self, notice: Notice) -> None:
        match notice:
            case Matched(lease=lease):
                self._placed(lease)
            case StoreLost():
                self.heard.append("lost")
            case StoreFound():
                self.heard.append("found")
            case Refused(why=why):
                self.heard.append(f"refused: {why}")
            case Ended():
                self.heard.append("ended")

    def _placed(self, lease: Lease | None) -> None:
        self.heard.append("waits" if lease is None else "matched")
        if lease is not None:
            self.leases.append(lease)


class Turning:
    """A broker whose rounds and clock the test turns by hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.restored = 0
        self.broker = Broker(store.real, "here", on_restore=self._restored)
        self.now = 1000.0
        self.broker._loop = cast("Any", self)
        self.waiters: list[Waiter] = []

    def time(self) -> float:
        """The loop's clock."""
        return self.now

    async def turn(self) -> bool:
        """Have it speak with the store once, as its loop does."""
        answered = await self.broker.turn()
        await self.broker.departures.send()
        self._deliver()
        return answered

    async def join(self, count: int = 1, **fields: Any) -> list[Waiter]:
        new = [Waiter(len(self.waiters) + at + 1, **fields) for at in range(count)]
        self.waiters += new
        for waiter in new:
            self.store.clock.now += 0.001
            await waiter.ask(self.broker.join(waiter.ticket))
        self._deliver()
        return new

    async def give_back(self, waiter: Waiter) -> None:
        """Have a player return a streamer that it could not reach."""
        await waiter.ask(self.broker.give_back(waiter.ticket.session_id, unreachable=True))
        self._deliver()

    async def leave(self, session_id: str) -> None:
        """Have a session end, and the store hear of it."""
        self.broker.leave(session_id)
        await self.broker.departures.send()

    async def queue(self) -> list[str]:
        """Return the sessions that wait in the store, next first."""
        return [each.ticket.session_id for each in (await self.store.inner.snapshot()).queue]

    def _restored(self) -> None:
        self.restored += 1

    def _deliver(self) -> None:
        """Deliver the notices, unless there are real players that take them."""
        waiters = {waiter.ticket.session_id: waiter for waiter in self.waiters}
        while waiters and not self.broker.notices.empty():
            notice = self.broker.notices.get_nowait()
            waiters[notice.session_id].notified(notice)
