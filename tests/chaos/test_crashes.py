"""After a crash, a suspension or a loss of data: no slot is leased twice or stays lost, and every player is matched."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.chaos.conftest import MEASURED, Deployment, after

pytestmark = pytest.mark.integration

PLAYERS = 600
RATE = 60.0


@dataclass
class Trial:
    """A run of joining players with one fault."""

    lost_at: float | None = None
    """When the store lost its data, on the loop's clock."""


@asynccontextmanager
async def no_player_lost(
    deployment: Deployment, *, players: int = PLAYERS, hold: float = 0.3, rate: float = RATE
) -> AsyncIterator[Trial]:
    """Run the body while players join; assert that each of them was matched and that no slot was leased twice."""
    joining = asyncio.create_task(deployment.joins(players, rate, hold=hold))
    await after(3.0)
    trial = Trial()
    yield trial
    outcome = await joining
    if trial.lost_at is not None:
        seconds = outcome.resumed_after(trial.lost_at)
        test = os.environ["PYTEST_CURRENT_TEST"].rpartition("::")[2].partition(" ")[0]
        MEASURED.append(f"{test}: {seconds:.2f} s from the loss to the next match")
    assert deployment.double_booked == 0
    assert (outcome.unmatched, outcome.refused) == (0, 0)
    assert len(outcome.waits) == players
    await deployment.every_slot_is_free()


async def test_a_killed_replica_costs_no_player_a_streamer(deployment: Deployment) -> None:
    async with no_player_lost(deployment):
        deployment.replicas[1].signal(signal.SIGKILL)


async def test_a_replica_suspended_for_thirty_seconds_does_no_harm_when_it_returns(deployment: Deployment) -> None:
    async with no_player_lost(deployment):
        deployment.replicas[1].signal(signal.SIGSTOP)
        await after(30.0)
        deployment.replicas[1].signal(signal.SIGCONT)


@pytest.mark.parametrize("how", ["flush", "restart", "failover"])
async def test_a_lost_store_loses_no_player(deployment: Deployment, how: str) -> None:
    async with no_player_lost(deployment) as trial:
        trial.lost_at = await deployment.lose_store(how)


@pytest.mark.parametrize("how", ["flush", "failover"])
async def test_a_store_that_is_lost_while_players_wait_loses_none(deployment: Deployment, how: str) -> None:
    # More players than streamers: when the store is lost, some are being dialled, and the others wait.
    async with no_player_lost(deployment, players=400, hold=1.0) as trial:
        trial.lost_at = await deployment.lose_store(how)


async def test_a_store_suspended_for_ten_seconds_loses_no_player(deployment: Deployment) -> None:
    async with no_player_lost(deployment):
        deployment.control_plane.redis.signal(signal.SIGSTOP)
        await after(10.0)
        deployment.control_plane.redis.signal(signal.SIGCONT)
