"""The drain of a router lets players finish."""

import asyncio
from itertools import pairwise
from typing import cast

import pytest

from pixelfleet.protocol import close_codes
from router.drain import RETURN_STEPS, Drain
from router.players import Players
from tests.unit.pixelfleet.net.sockets import FakeSocket


class Connected:
    """The router's players, as far as the drain uses them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.left = asyncio.Event()
        self.closing = False
        self.sockets: list[FakeSocket] = []
        """Of the players whose pages can resume."""

    def resumable(self) -> list[FakeSocket]:
        return self.sockets

    def __len__(self) -> int:
        return self.count

    def leave(self) -> None:
        self.count -= 1
        self.left.set()


def drain_of(players: Connected, *, spread: float = 0.0, grace: float = 60.0) -> Drain:
    return Drain(cast("Players", players), spread_seconds=spread, grace_seconds=grace)


async def test_the_drain_ends_with_the_last_player() -> None:
    players = Connected(2)
    running = asyncio.create_task(drain_of(players).run())
    for _ in range(2):
        await asyncio.sleep(0)
        assert not running.done()
        players.leave()
    async with asyncio.timeout(5):
        await running
    assert players.closing


async def test_players_are_accepted_during_the_spread() -> None:
    players = Connected(0)
    drain = drain_of(players, spread=30.0)
    running = asyncio.create_task(drain.run())
    await asyncio.sleep(0)
    assert (drain.begun, players.closing, running.done()) == (True, False, False)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_the_drain_ends_after_the_grace_period() -> None:
    players = Connected(1)
    async with asyncio.timeout(5):
        await drain_of(players, grace=0.01).run()
    assert len(players) == 1


@pytest.mark.parametrize("count", [1, RETURN_STEPS, 7 * RETURN_STEPS + 1])
async def test_pages_that_can_resume_are_sent_away_in_groups(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    closed: list[int] = []
    players = Connected(count)
    players.sockets = [FakeSocket() for _ in range(count)]

    async def sleep(_: float) -> None:
        closed.append(sum(not socket.is_open for socket in players.sockets))
        if closed[-1] == count:
            players.count = 0

    monkeypatch.setattr("router.drain.asyncio.sleep", sleep)
    async with asyncio.timeout(5):
        await drain_of(players).run()
    groups = [after - before for before, after in pairwise(closed)]
    assert closed[0] == 0  # the spread
    assert max(groups) == -(-count // RETURN_STEPS)
    assert sum(groups) == count
    assert {socket.closes[0][0] for socket in players.sockets} == {close_codes.RESTARTING.code}
