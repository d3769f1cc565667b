"""After a crash, a suspension or a loss of data: no slot is leased twice or stays lost, and every player is matched."""

import asyncio
import signal

import pytest

from benchmarks.matching.joins import Outcome
from tests.chaos.conftest import Deployment, after

pytestmark = pytest.mark.integration

PLAYERS = 600
RATE = 60.0


def every_player_was_matched(deployment: Deployment, outcome: Outcome) -> None:
    assert deployment.fleet.double_booked == 0
    assert (outcome.unmatched, outcome.refused) == (0, 0)
    assert len(outcome.waits) == PLAYERS


async def test_a_killed_replica_costs_no_player_a_streamer(deployment: Deployment) -> None:
    playing = asyncio.create_task(deployment.joins(PLAYERS, RATE))
    await after(3.0)
    deployment.replicas[1].signal(signal.SIGKILL)
    every_player_was_matched(deployment, await playing)
    await deployment.every_slot_is_free()


async def test_a_replica_suspended_for_thirty_seconds_does_no_harm_when_it_returns(deployment: Deployment) -> None:
    playing = asyncio.create_task(deployment.joins(PLAYERS, RATE))
    await after(3.0)
    deployment.replicas[1].signal(signal.SIGSTOP)
    await after(30.0)
    deployment.replicas[1].signal(signal.SIGCONT)
    every_player_was_matched(deployment, await playing)
    await deployment.every_slot_is_free()


async def test_a_killed_store_that_returns_empty_loses_no_player(deployment: Deployment) -> None:
    playing = asyncio.create_task(deployment.joins(PLAYERS, RATE))
    await after(3.0)
    await deployment.control_plane.restart_redis()
    every_player_was_matched(deployment, await playing)
    await deployment.every_slot_is_free()


async def test_a_flushed_store_loses_no_player(deployment: Deployment) -> None:
    playing = asyncio.create_task(deployment.joins(PLAYERS, RATE))
    await after(3.0)
    _, writer = await asyncio.open_connection("127.0.0.1", deployment.control_plane.port)
    writer.write(b"FLUSHALL\r\n")
    await writer.drain()
    writer.close()
    every_player_was_matched(deployment, await playing)
    await deployment.every_slot_is_free()


async def test_a_store_suspended_for_ten_seconds_loses_no_player(deployment: Deployment) -> None:
    playing = asyncio.create_task(deployment.joins(PLAYERS, RATE))
    await after(3.0)
    deployment.control_plane.redis.signal(signal.SIGSTOP)
    await after(10.0)
    deployment.control_plane.redis.signal(signal.SIGCONT)
    every_player_was_matched(deployment, await playing)
    await deployment.every_slot_is_free()
