"""A fleet store that goes away and forgets when a test says so, and players who only remember what they heard."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from matchmaker.broker import Broker
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
        self, number: int = 1, *, stock: bool = False, sequence: int = 1, **fields: Any
    ) -> StreamerReport:
        """Have a streamer reported."""
        name = f"s{number}"
        given = {"app": "default", "url": f"ws://10.0.0.{number}:4000", "stock": stock, **fields}
        report = StreamerReport(server_id=name, endpoint_id="cam", **given)
        owner = "elsewhere" if stock else ""
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
    """A player that remembers."""

    def __init__(self, number: int = 1, **fields: Any) -> None:
        self.ticket = ticket(number, **fields)
        self.heard: list[str] = []
        self.leases: list[Lease] = []

    def waits(self) -> None:
        self.heard.append("waits")

    def matched(self, lease: Lease) -> None:
        self.heard.append("matched")
        self.leases.append(lease)

    def store_lost(self) -> None:
        self.heard.append("lost")

    def store_found(self) -> None:
        self.heard.append("found")

    def refused(self, why: str) -> None:
        self.heard.append(f"refused: {why}")

    def ended(self) -> None:
        self.heard.append("ended")


class Turning:
    """A broker whose rounds and clock the test turns by hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.broker = Broker(store.real, "here")
        self.now = 1000.0
        self.broker._loop = cast("Any", self)
        self.waiters: list[Waiter] = []

    def time(self) -> float:
        """The loop's clock."""
        return self.now

    async def turn(self) -> bool:
        """Have it speak with the store once, as its loop does."""
        answered = await self.broker.turn()
        await self.broker.leaves.say()
        return answered

    async def join(self, count: int = 1, **fields: Any) -> list[Waiter]:
        new = [Waiter(len(self.waiters) + at + 1, **fields) for at in range(count)]
        self.waiters += new
        for waiter in new:
            self.store.clock.now += 0.001
            await self.broker.join(waiter)
        return new

    async def leave(self, session_id: str) -> None:
        """Have a session end, and the store hear of it."""
        self.broker.leave(session_id)
        await self.broker.leaves.say()

    async def queue(self) -> list[str]:
        """Return the sessions that wait in the store, next first."""
        return [each.ticket.session_id for each in (await self.store.inner.snapshot()).queue]
