"""A draining replica closes waiting players and lets the others finish."""

import asyncio

import pytest

from matchmaker.drain import Drain
from tests.parts import PATIENCE_SECONDS, eventually
from tests.unit.matchmaker.replicas import Client, Replica


def drain_of(replica: Replica, *, spread: float = 0.0, grace: float = 60.0) -> Drain:
    return Drain(replica.broker, replica.players, spread_seconds=spread, grace_seconds=grace)


async def playing(replica: Replica, *, legacy: bool) -> Client:
    await replica.store.streamer(legacy=legacy)
    client = replica.player()
    await replica.settle()
    replica.dials[-1].open()
    await replica.settle()
    return client


@pytest.mark.parametrize("legacy", [False, True])
async def test_waiting_players_are_closed_and_the_others_may_finish(replica: Replica, *, legacy: bool) -> None:
    player = await playing(replica, legacy=legacy)
    waiting = [replica.player() for _ in range(150)]
    await replica.settle()
    task = asyncio.create_task(drain_of(replica).run())
    await replica.settle()
    assert replica.players.closing
    assert {tuple(client.socket.closes) for client in waiting} == {((4005, "the server restarts"),)}
    assert await replica.driver.queue() == []
    for client in waiting:
        client.leave()
    await replica.settle()
    assert not task.done()
    assert player.socket.is_open
    player.leave()
    replica.dials[-1].handler.closed(1000, "")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await task
    assert player.socket.closes == []


async def test_a_player_that_stays_too_long_is_closed(replica: Replica) -> None:
    player = await playing(replica, legacy=True)
    task = asyncio.create_task(drain_of(replica, grace=0.05).run())
    await eventually(lambda: player.socket.closes, "the player is closed")
    assert player.socket.closes == [(4005, "the server restarts")]
    player.leave()
    replica.dials[-1].handler.closed(1000, "")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await task
    assert not (await replica.store.inner.snapshot()).leases


async def test_a_player_that_waits_again_is_closed(replica: Replica) -> None:
    await replica.store.streamer()
    client = replica.player()
    await replica.settle()
    task = asyncio.create_task(drain_of(replica).run())
    await replica.settle()
    assert client.socket.is_open
    replica.dials[-1].fail()
    await eventually(lambda: client.socket.closes, "the player is closed")
    client.leave()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await task
    assert client.socket.closes == [(4005, "the server restarts")]


async def test_a_second_call_waits_for_the_same_end(replica: Replica) -> None:
    drain = drain_of(replica, spread=0.2)
    begun = asyncio.get_running_loop().time()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(drain.run(), drain.run())
    assert asyncio.get_running_loop().time() - begun >= 0.2
