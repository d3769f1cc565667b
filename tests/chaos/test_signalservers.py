"""A killed signalling server affects only the players of its own streamers."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from pixelfleet.fleet.bounds import EXPIRY_SECONDS
from pixelfleet.protocol import close_codes
from tests.chaos.conftest import ControlPlane, after, control_plane
from tests.chaos.pods import Journey, Pod, pods, travel
from tests.parts import eventually

pytestmark = pytest.mark.integration

SERVERS, STREAMERS = 4, 4
STAYERS, VISITORS = 6, 150
RATE = 15.0


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    async with control_plane(tmp_path) as made:
        yield made


async def refused_for_a_slot(pod: Pod) -> float:
    """Return the number of players that a server refused because their leased slot was taken."""
    series = 'signalserver_upgrades_refused_total{reason="slot",role="player"}'
    url = f"http://127.0.0.1:{pod.server.facts['metrics']}/metrics"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        lines = (await answer.text()).splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(series)), 0.0)


async def test_a_killed_signalling_server_costs_only_its_own_slots(base: ControlPlane) -> None:
    stayers, visitors = ([Journey() for _ in range(many)] for many in (STAYERS, VISITORS))

    async def visit(number: int) -> None:
        await asyncio.sleep(number / RATE)
        await travel(visitors[number], base.urls, number, 0.3)

    async with pods(base, servers=SERVERS, streamers=STREAMERS) as running, asyncio.TaskGroup() as group:
        for number, stayer in enumerate(stayers):
            group.create_task(travel(stayer, base.urls, number, 12.0))
        await eventually(lambda: all(stayer.streamers for stayer in stayers), "the staying players have a streamer")
        for number in range(VISITORS):
            group.create_task(visit(number))
        await after(3.0)
        (victim,) = [pod for pod in running if stayers[0].streamers[0] in [each.name for each in pod.streamers]]
        victim.server.signal(signal.SIGKILL)

        async def is_expired() -> bool:
            servers = {view.report.server_id for view in (await base.store.snapshot()).streamers}
            return servers == {pod.name for pod in running if pod is not victim}

        await eventually(is_expired, "its slots are gone", within=EXPIRY_SECONDS + 1.0)

        async def all_have_stayed() -> bool:
            return all(each.stayed for each in (*stayers, *visitors))

        await eventually(all_have_stayed, "every player was served", within=60.0)
        others = [pod for pod in running if pod is not victim]
        assert [each.name for pod in running for each in pod.streamers if each.max_players > 1] == []
        assert [await refused_for_a_slot(pod) for pod in others] == [0.0] * len(others)
        lost = {each.name for each in victim.streamers}
        assert any(stayer.streamers[0] not in lost for stayer in stayers)
        for journey in (*stayers, *visitors):
            # Players of the victim are closed with a code to reconnect at once, and get another streamer; no other
            # player loses its connection.
            assert {code for _, code in journey.losses} <= {close_codes.STREAM_UNAVAILABLE.code}
            assert journey.streamers[:-1] == [name for name, _ in journey.losses]
            assert set(journey.streamers[:-1]) <= lost
        await base.slots_are_free(len(others) * STREAMERS)
