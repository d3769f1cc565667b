"""An application that does not connect, or that hangs with players, is reported as stuck."""

import pytest

from pixelfleet.fleet.memory import MemoryFleetStore
from tests.integration.peers import SDP, player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.parts import eventually

pytestmark = pytest.mark.integration

STUCK = "signalserver_application_stuck"


async def becomes(running: RunningSignalserver, why: str | None) -> None:
    async def now() -> bool:
        return await running.ready() == why

    await eventually(now, f"/readyz answers: {why}")


async def test_an_application_that_does_not_connect_is_stuck_until_it_does() -> None:
    async with running_signalserver(start_seconds=1.0) as running:
        assert await running.ready() == "no streamer is connected"
        await becomes(running, "the application has not connected")
        assert await running.metric(STUCK) == 1
        async with streamer(running.streamer_url, "cam"):
            await becomes(running, None)
            assert await running.metric(STUCK) == 0
        # An application that was connected and has been gone for as long counts as stuck, too.
        await becomes(running, "the application has not connected")


async def test_a_hanging_application_is_stuck_and_gets_no_more_players() -> None:
    store = MemoryFleetStore()
    async with (
        running_signalserver(store, stall_seconds=0.2) as running,
        streamer(running.streamer_url, "cam") as source,
        player(running.player_url) as viewer,
    ):
        assert await running.ready() is None
        await viewer.send("subscribe", streamerId="cam")
        await becomes(running, "the application does not answer its players")
        assert await running.metric(STUCK) == 1

        async def reported() -> bool:
            return [view.report.ready for view in (await store.snapshot()).streamers] == [False]

        await eventually(reported, "the store has the report")
        await source.send("offer", sdp=SDP, playerId="101")
        await becomes(running, None)
        assert await running.metric(STUCK) == 0


async def test_an_application_of_4_27_that_does_not_answer_an_offer_is_stuck() -> None:
    async with (
        running_signalserver(stall_seconds=0.2, dialect="legacy") as running,
        player(running.player_url) as viewer,
    ):
        from tests.integration.test_signalserver_admission import opened

        async with opened(running.streamer_url):
            await becomes(running, None)
            await viewer.send("offer", sdp=SDP)
            await becomes(running, "the application does not answer its players")
