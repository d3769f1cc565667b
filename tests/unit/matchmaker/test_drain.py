"""A replica that ends sends those who wait to another and lets the others finish."""

import asyncio

import pytest

from matchmaker.drain import Drain
from tests.parts import PATIENCE_SECONDS, eventually
from tests.unit.matchmaker.hall import Hall, Seat


def drain_of(hall: Hall, *, spread: float = 0.0, grace: float = 60.0) -> Drain:
    return Drain(hall.broker, hall.players, spread_seconds=spread, grace_seconds=grace)


async def playing(hall: Hall, *, legacy: bool) -> Seat:
    await hall.store.streamer(legacy=legacy)
    seat = hall.player()
    await hall.settle()
    hall.dials[-1].open()
    await hall.settle()
    return seat


@pytest.mark.parametrize("legacy", [False, True])
async def test_those_who_wait_go_at_once_and_those_who_play_when_they_want(hall: Hall, *, legacy: bool) -> None:
    player = await playing(hall, legacy=legacy)
    waiting = [hall.player() for _ in range(150)]
    await hall.settle()
    task = asyncio.create_task(drain_of(hall).run())
    await hall.settle()
    assert hall.players.closing
    assert {tuple(seat.socket.closes) for seat in waiting} == {((4005, "the server restarts"),)}
    assert await hall.turning.queue() == []
    for seat in waiting:
        seat.leave()
    await hall.settle()
    assert not task.done()
    assert player.socket.is_open
    player.leave()
    hall.dials[-1].handler.closed(1000, "")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await task
    assert player.socket.closes == []


async def test_who_stays_too_long_is_sent_to_another_replica(hall: Hall) -> None:
    player = await playing(hall, legacy=True)
    task = asyncio.create_task(drain_of(hall, grace=0.05).run())
    await eventually(lambda: player.socket.closes, "the player is closed")
    assert player.socket.closes == [(4005, "the server restarts")]
    player.leave()
    hall.dials[-1].handler.closed(1000, "")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await task
    assert not (await hall.store.inner.snapshot()).leases


async def test_who_waits_again_because_its_streamer_failed_goes_too(hall: Hall) -> None:
    await hall.store.streamer()
    seat = hall.player()
    await hall.settle()
    task = asyncio.create_task(drain_of(hall).run())
    await hall.settle()
    assert seat.socket.is_open
    hall.dials[-1].fail()
    await eventually(lambda: seat.socket.closes, "the player is closed")
    seat.leave()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await task
    assert seat.socket.closes == [(4005, "the server restarts")]


async def test_whoever_asks_again_waits_for_the_same_end(hall: Hall) -> None:
    drain = drain_of(hall, spread=0.2)
    begun = asyncio.get_running_loop().time()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(drain.run(), drain.run())
    assert asyncio.get_running_loop().time() - begun >= 0.2
