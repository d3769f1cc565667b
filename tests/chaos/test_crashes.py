"""Whoever crashes, freezes or forgets: nobody is promised twice, no slot stays lost, and who is there is served."""

import asyncio
import signal

import pytest

from benchmarks.matching.joins import Outcome
from tests.chaos.conftest import Scene, after

pytestmark = pytest.mark.integration

PLAYERS = 600
RATE = 60.0


def nobody_was_wronged(scene: Scene, outcome: Outcome) -> None:
    assert scene.fleet.double_booked == 0
    assert (outcome.unmatched, outcome.refused) == (0, 0)
    assert len(outcome.waits) == PLAYERS


async def test_a_replica_that_is_killed_costs_nobody_a_streamer(scene: Scene) -> None:
    playing = asyncio.create_task(scene.joins(PLAYERS, RATE))
    await after(3.0)
    scene.replicas[1].signal(signal.SIGKILL)
    nobody_was_wronged(scene, await playing)
    await scene.every_slot_is_free()


async def test_a_replica_that_freezes_for_thirty_seconds_does_no_harm_when_it_returns(scene: Scene) -> None:
    playing = asyncio.create_task(scene.joins(PLAYERS, RATE))
    await after(3.0)
    scene.replicas[1].signal(signal.SIGSTOP)
    await after(30.0)
    scene.replicas[1].signal(signal.SIGCONT)
    nobody_was_wronged(scene, await playing)
    await scene.every_slot_is_free()


async def test_a_store_that_is_killed_and_comes_back_empty_loses_nobody(scene: Scene) -> None:
    playing = asyncio.create_task(scene.joins(PLAYERS, RATE))
    await after(3.0)
    await scene.ground.restart_redis()
    nobody_was_wronged(scene, await playing)
    await scene.every_slot_is_free()


async def test_a_store_that_is_flushed_loses_nobody(scene: Scene) -> None:
    playing = asyncio.create_task(scene.joins(PLAYERS, RATE))
    await after(3.0)
    _, writer = await asyncio.open_connection("127.0.0.1", scene.ground.port)
    writer.write(b"FLUSHALL\r\n")
    await writer.drain()
    writer.close()
    nobody_was_wronged(scene, await playing)
    await scene.every_slot_is_free()


async def test_a_store_that_freezes_for_ten_seconds_loses_nobody(scene: Scene) -> None:
    playing = asyncio.create_task(scene.joins(PLAYERS, RATE))
    await after(3.0)
    scene.ground.redis.signal(signal.SIGSTOP)
    await after(10.0)
    scene.ground.redis.signal(signal.SIGCONT)
    nobody_was_wronged(scene, await playing)
    await scene.every_slot_is_free()
