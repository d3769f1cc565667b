"""A signalling server that is killed takes its own players' streamers with it, and nothing else."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from pixelfleet.fleet.bounds import EXPIRY_SECONDS
from pixelfleet.protocol import close_codes
from tests.chaos.conftest import Ground, after, ground
from tests.chaos.pods import Journey, Pod, pods, travel
from tests.parts import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SERVERS, STREAMERS = 4, 4
STAYERS, VISITORS = 6, 150
RATE = 15.0


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as made:
        yield made


async def refused_for_a_slot(pod: Pod) -> float:
    """Return how many players a server refused because another had the streamer that they were promised."""
    series = 'signalserver_upgrades_refused_total{reason="slot",role="player"}'
    url = f"http://127.0.0.1:{pod.server.facts['metrics']}/metrics"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        lines = (await answer.text()).splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(series)), 0.0)


async def test_a_signalserver_that_is_killed_costs_only_its_own_slots(base: Ground) -> None:
    stayers, visitors = ([Journey() for _ in range(many)] for many in (STAYERS, VISITORS))

    async def visit(number: int) -> None:
        await asyncio.sleep(number / RATE)
        await travel(visitors[number], base.urls, number, 0.3)

    async with pods(base, servers=SERVERS, streamers=STREAMERS) as running, asyncio.TaskGroup() as group:
        for number, stayer in enumerate(stayers):
            group.create_task(travel(stayer, base.urls, number, 12.0))
        await eventually(lambda: all(stayer.seats for stayer in stayers), "some play")
        for number in range(VISITORS):
            group.create_task(visit(number))
        await after(3.0)
        (victim,) = [pod for pod in running if stayers[0].seats[0] in [each.name for each in pod.streamers]]
        victim.server.signal(signal.SIGKILL)

        async def forgotten() -> bool:
            known = {view.report.server_id for view in (await base.store.snapshot()).streamers}
            return known == {pod.name for pod in running if pod is not victim}

        await eventually(forgotten, "its slots are gone", within=EXPIRY_SECONDS + 1.0)

        async def all_have_stayed() -> bool:
            return all(each.stayed for each in (*stayers, *visitors))

        await eventually(all_have_stayed, "everybody was served", within=60.0)
        others = [pod for pod in running if pod is not victim]
        assert [each.name for pod in running for each in pod.streamers if each.most > 1] == []
        assert [await refused_for_a_slot(pod) for pod in others] == [0.0] * len(others)
        lost = {each.name for each in victim.streamers}
        assert any(stayer.seats[0] not in lost for stayer in stayers)
        for journey in (*stayers, *visitors):
            # Who was with it is told to come back at once, and is served by another; nobody else notices anything.
            assert {code for _, code in journey.cuts} <= {close_codes.STREAM_UNAVAILABLE.code}
            assert journey.seats[:-1] == [seat for seat, _ in journey.cuts]
            assert set(journey.seats[:-1]) <= lost
        await base.slots_are_free(len(others) * STREAMERS)
