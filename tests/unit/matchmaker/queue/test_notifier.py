"""Waiting players hear of their places, a few at a time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from matchmaker.queue import notifier as queue_notifier
from matchmaker.queue.notifier import QueueNotifier
from matchmaker.queue.positions import QueuePosition
from tests.unit.matchmaker.fleet import Store, Turning, ticket

A_FEW = 200
"""Players that may be told before the loop goes on: some 10 us each, so a few milliseconds."""


class Queued:
    """A waiting player, as the teller knows it."""

    def __init__(self, came: float) -> None:
        self.came = came
        self.positions: list[QueuePosition] = []
        self.sent_away = 0

    def moved(self, position: QueuePosition) -> None:
        self.positions.append(position)

    def expire(self) -> None:
        self.sent_away += 1


class Hall:
    """A replica's players and their teller, whose turns are counted."""

    def __init__(self, store: Store) -> None:
        self.turning = Turning(store)
        self.players: dict[str, Queued] = {}
        self.teller = QueueNotifier(self.turning.broker, self.players.get, longest_wait=100.0)

    async def join(self, count: int, **fields: object) -> list[Queued]:
        now = asyncio.get_running_loop().time()
        new = []
        for waiter in await self.turning.join(count, **fields):
            player = self.players[waiter.ticket.session_id] = Queued(now)
            new.append(player)
        return new

    def headers(self) -> int:
        return sum(len(player.positions) + player.sent_away for player in self.players.values())

    async def slices(self, work: Coroutine[Any, Any, None]) -> int:
        """Return the most players that are told before the loop goes on with something else."""
        most, headers = 0, self.headers()
        task = asyncio.create_task(work)
        while not task.done():
            await asyncio.sleep(0)
            now = self.headers()
            most, headers = max(most, now - headers), now
        await task
        return most


@pytest.fixture
async def hall() -> Hall:
    return Hall(Store())


async def test_each_hears_its_place_once_and_again_when_somebody_before_it_has_gone(hall: Hall) -> None:
    players = await hall.join(3)
    await hall.teller.notify()
    await hall.teller.notify()
    assert [[position.position for position in player.positions] for player in players] == [[1], [2], [3]]
    await hall.turning.leave(hall.turning.waiters[0].ticket.session_id)
    await hall.teller.notify()
    assert [player.positions[-1].position for player in players[1:]] == [1, 2]


async def test_each_app_has_a_queue_of_its_own(hall: Hall) -> None:
    mine = await hall.join(2)
    other = await hall.join(2, app="other")
    await hall.teller.notify()
    assert [player.positions[0].position for player in (*mine, *other)] == [1, 2, 1, 2]


async def test_with_ten_thousand_waiting_a_turn_looks_at_a_slice(hall: Hall) -> None:
    players = await hall.join(10_000)
    assert await hall.slices(hall.teller.notify()) <= A_FEW
    assert all(len(player.positions) == 1 for player in players)
    await hall.turning.store.streamer()
    assert await hall.slices(hall.teller.notify()) <= A_FEW


async def test_ten_thousand_overdue_players_are_sent_away_in_slices(hall: Hall) -> None:
    players = await hall.join(10_000)
    for player in players:
        player.came -= 101.0
    assert await hall.slices(hall.teller.send_away_overdue()) <= A_FEW
    assert all(player.sent_away == 1 for player in players)


async def test_a_player_who_waits_again_behind_others_is_overdue_all_the_same(hall: Hall) -> None:
    old, warming_up = await hall.join(2)
    session = hall.turning.waiters[0].ticket.session_id
    hall.turning.broker.waiting[session] = hall.turning.broker.waiting.pop(session)
    old.came -= 101.0
    await hall.teller.send_away_overdue()
    assert (old.sent_away, warming_up.sent_away) == (1, 0)


async def test_no_player_hears_of_its_place_more_than_once_a_second(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert queue_notifier.NOTIFY_SECONDS == 1.0
    slept: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds:
            slept.append(seconds)
            if len(slept) == 4:
                enough.set()
                await asyncio.Event().wait()

    await hall.join(2)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    headers = asyncio.create_task(hall.teller.run())
    await enough.wait()
    headers.cancel()
    assert slept == [1.0] * 4


async def test_while_the_store_is_away_nobody_hears_and_then_all_do_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    (player,) = await hall.join(1)
    await hall.teller.notify()
    hall.turning.store.away = True
    rounds = 0

    async def sleep(seconds: float) -> None:
        nonlocal rounds
        if seconds:
            rounds += 1
            hall.turning.store.away = rounds < 3
            if rounds == 4:
                raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await hall.teller.run()
    assert [position.position for position in player.positions] == [1, 1]


async def test_somebody_who_is_not_connected_any_more_is_passed_over(hall: Hall) -> None:
    await hall.turning.broker.join(ticket(7))
    await hall.teller.notify()
    await hall.teller.send_away_overdue()
