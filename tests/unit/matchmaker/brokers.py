"""A fleet store with failures under a test's control, and a broker with recording players."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from matchmaker.broker import Broker
from matchmaker.notices import Ended, Matched, Notice, Refused, StoreAvailable, StoreUnavailable
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import Lease, ServerReport, StreamerReport, Ticket
from pixelfleet.fleet.store import (
    FleetStore,
    KickedError,
    StoreRefusedError,
    StoreUnavailableError,
    TicketRefusedError,
    TooManyChoicesError,
)


class Clock:
    """The store's clock."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Store:
    """A memory store that can be unavailable. It records each call, whether it fails or not."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.inner = MemoryFleetStore(self.clock)
        self.unavailable = False
        self.refuses = False
        """Whether an unavailable store refuses this replica's password."""
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.fail_after: int | None = None
        """After this number of calls the store is unavailable."""
        self.refuse_joins = False

    @property
    def real(self) -> FleetStore:
        """This object as a `FleetStore`, for the type checker."""
        return cast("FleetStore", self)

    def reset(self) -> None:
        """Lose all data: a new epoch begins."""
        self.clock.now += 1.0
        self.inner = MemoryFleetStore(self.clock)

    def calls_of(self, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of all calls of a method."""
        return [arguments for method, arguments in self.calls if method == name]

    async def streamer(
        self, number: int = 1, *, legacy: bool = False, sequence: int = 1, **fields: Any
    ) -> StreamerReport:
        """Report a streamer; return its report."""
        name = f"s{number}"
        values: dict[str, Any] = {"app": "default", "url": f"ws://10.0.0.{number}:4000", "legacy": legacy}
        values |= {"dialect": "5.0" if legacy else "5.5", **fields}
        report = StreamerReport(server_id=name, endpoint_id="cam", **values)
        owner = "other-replica" if legacy else ""
        await self.inner.report(ServerReport(server_id=name, sequence=sequence, streamers=(report,), owner=owner))
        return report

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append((name, (*arguments, *options.values())))
            if self.fail_after is not None:
                self.fail_after -= 1
                self.unavailable = self.unavailable or self.fail_after < 0
            if self.unavailable:
                raise StoreRefusedError("WRONGPASS") if self.refuses else StoreUnavailableError("unavailable")
            if self.refuse_joins and name == "join":
                raise TooManyChoicesError("too many different choices")
            return await getattr(self.inner, name)(*arguments, **options)

        return call


def ticket(number: int = 1, **fields: Any) -> Ticket:
    return Ticket(session_id=f"{number:032x}", replica_id="here", **{"app": "default", **fields})


class RecordingPlayer:
    """A player that records the answers and notices of the broker."""

    def __init__(self, number: int = 1, **fields: Any) -> None:
        self.ticket = ticket(number, **fields)
        self.events: list[str] = []
        self.leases: list[Lease] = []

    async def request(self, call: Awaitable[Lease | None]) -> None:
        """Await a call of the broker, as a player's task does."""
        try:
            lease = await call
        except KickedError:
            self.events.append("kicked")
        except TicketRefusedError as error:
            self.events.append(f"refused: {error}")
        else:
            self._placed(lease)

    def notified(self, notice: Notice) -> None:
        match notice:
            case Matched(lease=lease):
                self._placed(lease)
            case StoreUnavailable():
                self.events.append("unavailable")
            case StoreAvailable():
                self.events.append("available")
            case Refused(error=why):
                self.events.append(f"refused: {why}")
            case Ended():
                self.events.append("ended")

    def _placed(self, lease: Lease | None) -> None:
        self.events.append("waits" if lease is None else "matched")
        if lease is not None:
            self.leases.append(lease)


class BrokerDriver:
    """A broker whose heartbeats and clock are controlled by the test."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.restored = 0
        self.broker = Broker(store.real, "here", on_restore=self._restored)
        self.now = 1000.0
        self.broker._loop = cast("Any", self)
        self.players: list[RecordingPlayer] = []

    def time(self) -> float:
        """The loop's clock."""
        return self.now

    async def renew(self) -> bool:
        """Send one heartbeat, as the broker's loop does; deliver its notices."""
        answered = await self.broker.renew()
        await self.broker.departures.send()
        self._deliver()
        return answered

    async def join(self, count: int = 1, **fields: Any) -> list[RecordingPlayer]:
        new = [RecordingPlayer(len(self.players) + at + 1, **fields) for at in range(count)]
        self.players += new
        for player in new:
            self.store.clock.now += 0.001
            await player.request(self.broker.join(player.ticket))
        self._deliver()
        return new

    async def give_back(self, player: RecordingPlayer) -> None:
        """Give back a player's lease, because its streamer is unreachable."""
        await player.request(self.broker.give_back(player.ticket.session_id, unreachable=True))
        self._deliver()

    async def leave(self, session_id: str) -> None:
        """End a session, and send its departure."""
        self.broker.leave(session_id)
        await self.broker.departures.send()

    async def queue(self) -> list[str]:
        """Return the ids of the sessions in the store's queue, next first."""
        return [waiting.ticket.session_id for waiting in (await self.store.inner.snapshot()).queue]

    def _restored(self) -> None:
        self.restored += 1

    def _deliver(self) -> None:
        """Deliver the notices to the recording players, if there are any."""
        players = {player.ticket.session_id: player for player in self.players}
        while players and not self.broker.notices.empty():
            notice = self.broker.notices.get_nowait()
            players[notice.session_id].notified(notice)
