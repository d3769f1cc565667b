"""After a crash, a suspension or a loss of data: no slot is leased twice or stays lost, and every player is matched."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.conftest import Deployment, after

pytestmark = pytest.mark.integration

PLAYERS = 600
RATE = 60.0


@asynccontextmanager
async def no_player_lost(deployment: Deployment) -> AsyncIterator[None]:
    """Run the body while players join; assert that each of them was matched and that no slot was leased twice."""
    joining = asyncio.create_task(deployment.joins(PLAYERS, RATE))
    await after(3.0)
    yield
    outcome = await joining
    assert deployment.fleet.double_booked == 0
    assert (outcome.unmatched, outcome.refused) == (0, 0)
    assert len(outcome.waits) == PLAYERS
    await deployment.every_slot_is_free()


async def test_a_killed_replica_costs_no_player_a_streamer(deployment: Deployment) -> None:
    async with no_player_lost(deployment):
        deployment.replicas[1].signal(signal.SIGKILL)


async def test_a_replica_suspended_for_thirty_seconds_does_no_harm_when_it_returns(deployment: Deployment) -> None:
    async with no_player_lost(deployment):
        deployment.replicas[1].signal(signal.SIGSTOP)
        await after(30.0)
        deployment.replicas[1].signal(signal.SIGCONT)


async def test_a_killed_store_that_returns_empty_loses_no_player(deployment: Deployment) -> None:
    async with no_player_lost(deployment):
        await deployment.control_plane.restart_redis()


async def test_a_flushed_store_loses_no_player(deployment: Deployment) -> None:
    async with no_player_lost(deployment):
        _, writer = await asyncio.open_connection("127.0.0.1", deployment.control_plane.port)
        writer.write(b"FLUSHALL\r\n")
        await writer.drain()
        writer.close()


async def test_a_store_suspended_for_ten_seconds_loses_no_player(deployment: Deployment) -> None:
    async with no_player_lost(deployment):
        deployment.control_plane.redis.signal(signal.SIGSTOP)
        await after(10.0)
        deployment.control_plane.redis.signal(signal.SIGCONT)
