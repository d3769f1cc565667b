"""Waiting players receive their positions, in batches."""

import asyncio
from collections.abc import Coroutine
from itertools import count
from typing import Any

import pytest

from matchmaker.queue import notifier as notifier_module
from matchmaker.queue.notifier import QueueNotifier
from matchmaker.queue.positions import UNSERVED, QueuePosition
from tests.unit.matchmaker.brokers import BrokerDriver, Store, ticket

MAX_PER_TURN = 200
"""Players that may be notified in one turn of the loop: about 10 us each, so a few milliseconds."""


class Queued:
    """A waiting player that records its notifications."""

    def __init__(self, arrived_at: float) -> None:
        self.arrived_at = arrived_at
        self.positions: list[QueuePosition] = []
        self.closed = 0

    def moved(self, position: QueuePosition) -> None:
        self.positions.append(position)

    def expire(self) -> None:
        self.closed += 1


class Replica:
    """The waiting players of a replica, and their notifier."""

    def __init__(self, store: Store) -> None:
        self.driver = BrokerDriver(store)
        self.players: dict[str, Queued] = {}
        self.notifier = QueueNotifier(self.driver.broker, self.players.get, longest_wait=100.0)

    async def join(self, count: int, **fields: object) -> list[Queued]:
        now = asyncio.get_running_loop().time()
        new = []
        for joined in await self.driver.join(count, **fields):
            player = self.players[joined.ticket.session_id] = Queued(now)
            new.append(player)
        return new

    def notifications(self) -> int:
        return sum(len(player.positions) + player.closed for player in self.players.values())

    async def most_per_turn(self, work: Coroutine[Any, Any, None]) -> int:
        """Run `work`; return the highest number of notifications in one turn of the loop."""
        highest, before = 0, self.notifications()
        task = asyncio.create_task(work)
        while not task.done():
            await asyncio.sleep(0)
            now = self.notifications()
            highest, before = max(highest, now - before), now
        await task
        return highest


@pytest.fixture
async def replica() -> Replica:
    return Replica(Store())


async def test_a_position_is_sent_once_and_after_each_change(replica: Replica) -> None:
    await replica.driver.store.streamer(1, ready=False)
    players = await replica.join(3)
    await replica.notifier.notify()
    await replica.notifier.notify()
    assert [[position.position for position in player.positions] for player in players] == [[1], [2], [3]]
    await replica.driver.leave(replica.driver.players[0].ticket.session_id)
    await replica.notifier.notify()
    assert [player.positions[-1].position for player in players[1:]] == [1, 2]


async def test_each_application_has_its_own_queue(replica: Replica) -> None:
    await replica.driver.store.streamer(1, ready=False)
    await replica.driver.store.streamer(2, ready=False, app="other")
    first = await replica.join(2)
    other = await replica.join(2, app="other")
    await replica.notifier.notify()
    assert [player.positions[0].position for player in (*first, *other)] == [1, 2, 1, 2]


async def test_ten_thousand_players_are_notified_in_batches(replica: Replica) -> None:
    players = await replica.join(10_000)
    assert await replica.most_per_turn(replica.notifier.notify()) <= MAX_PER_TURN
    assert all(len(player.positions) == 1 for player in players)
    await replica.driver.store.streamer()
    assert await replica.most_per_turn(replica.notifier.notify()) <= MAX_PER_TURN


async def test_ten_thousand_overdue_players_are_closed_in_batches(replica: Replica) -> None:
    players = await replica.join(10_000)
    for player in players:
        player.arrived_at -= 101.0
    assert await replica.most_per_turn(replica.notifier.close_overdue()) <= MAX_PER_TURN
    assert all(player.closed == 1 for player in players)


async def test_a_player_that_waits_again_is_overdue_since_its_first_arrival(replica: Replica) -> None:
    old, new = await replica.join(2)
    session = replica.driver.players[0].ticket.session_id
    replica.driver.broker.waiting[session] = replica.driver.broker.waiting.pop(session)
    old.arrived_at -= 101.0
    await replica.notifier.close_overdue()
    assert (old.closed, new.closed) == (1, 0)


async def test_positions_are_sent_at_most_once_per_second(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    assert notifier_module.NOTIFY_SECONDS == 1.0
    slept: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds:
            slept.append(seconds)
            if len(slept) == 4:
                enough.set()
                await asyncio.Event().wait()

    await replica.join(2)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    running = asyncio.create_task(replica.notifier.run())
    await enough.wait()
    running.cancel()
    assert slept == [1.0] * 4


async def test_positions_are_sent_again_after_the_store_was_unavailable(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    await replica.driver.store.streamer(1, ready=False)
    (player,) = await replica.join(1)
    await replica.notifier.notify()
    replica.driver.store.unavailable = True
    rounds = 0

    async def sleep(seconds: float) -> None:
        nonlocal rounds
        if seconds:
            rounds += 1
            replica.driver.store.unavailable = rounds < 3
            if rounds == 4:
                raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await replica.notifier.run()
    assert [position.position for position in player.positions] == [1, 1]


async def test_a_session_without_a_connected_player_is_skipped(replica: Replica) -> None:
    await replica.driver.broker.join(ticket(7))
    await replica.notifier.notify()
    await replica.notifier.close_overdue()


async def test_unserved_players_get_no_position_until_a_streamer_serves_them(replica: Replica) -> None:
    lost = [
        *await replica.join(1, app="nowhere"),
        *await replica.join(1, wants="nope"),
        *await replica.join(1, labels={"region": "mars"}),
        *await replica.join(1),
    ]
    await replica.notifier.notify()
    assert [player.positions for player in lost] == [[UNSERVED]] * 4
    await replica.driver.store.streamer(1, ready=False)
    await replica.notifier.notify()
    assert [player.positions for player in lost] == [*[[UNSERVED]] * 3, [UNSERVED, QueuePosition(1, None)]]


async def test_an_unchanged_place_is_sent_once_while_no_session_ends(replica: Replica) -> None:
    store, sequence = replica.driver.store, count(1)
    for _ in range(2):
        await store.streamer(1, sequence=next(sequence))
        (joined,) = await replica.driver.join()
        replica.driver.broker.arrived(joined.ticket.session_id)
        for sessions in ((joined.ticket.session_id,), ()):
            await store.streamer(1, sequence=next(sequence), ready=False, sessions=sessions)
        store.clock.now += 5.0
    (player,) = await replica.join(1)
    for _ in range(100):
        store.clock.now += 1.0
        await store.streamer(1, sequence=next(sequence), ready=False)
        await replica.driver.renew()
        await replica.notifier.notify()
    assert player.positions == [QueuePosition(1, 5)]
