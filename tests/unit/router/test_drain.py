"""The drain of a router lets players finish."""

import asyncio
from typing import cast

import pytest

from router.drain import Drain
from router.players import Players


class Connected:
    """The router's players, as far as the drain uses them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.left = asyncio.Event()
        self.closing = False

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
