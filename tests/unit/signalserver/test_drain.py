"""The states of a drain. Integration tests cover its effects on players and orchestrators."""

import asyncio

from pixelfleet.protocol import close_codes
from signalserver.drain import Drain, DrainState
from tests.parts import PATIENCE_SECONDS
from tests.unit.signalserver.hubs import Made, make_hub


def make(*, spread: float = 0.0, grace: float = 60.0) -> tuple[Made, Drain]:
    made = make_hub()
    return made, Drain(made.hub, made.metrics, spread_seconds=spread, grace_seconds=grace)


async def test_players_are_accepted_before_a_drain() -> None:
    made, drain = make()
    assert (drain.state, drain.begun, drain.takes_players) == (DrainState.SERVING, False, True)
    assert made.gauge("signalserver_draining") == 0


async def test_a_drain_starts_once_and_notifies_each_player_once() -> None:
    made, drain = make(spread=30)
    changed, player = made.hub.watch(), made.player()
    changed.clear()
    drain.begin()
    drain.begin()
    assert (drain.state, drain.begun, drain.takes_players) == (DrainState.SPREADING, True, True)
    assert player.received()[1:] == [{"type": "sigterm", "message": "stream will shutdown", "secondsLeft": 60}]
    assert changed.is_set()
    assert made.gauge("signalserver_draining") == 1


async def test_no_streamer_is_free_during_a_drain() -> None:
    made, drain = make(spread=30)
    streamer = made.streamer("cam")
    assert made.gauge("signalserver_free_stream_indicator") == 1
    drain.begin()
    assert made.gauge("signalserver_free_stream_indicator") == 0
    streamer.send("endpointId", id="lens")
    assert made.gauge("signalserver_free_stream_indicator") == 0
    assert made.gauge("signalserver_stream_socket_open_indicator") == 1


async def test_a_drain_without_players_ends_after_the_spread_time() -> None:
    _, drain = make()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await drain.run()
    assert (drain.state, drain.takes_players) == (DrainState.DRAINED, False)


async def test_a_drain_ends_with_the_last_player_and_not_with_the_first() -> None:
    made, drain = make()
    first, last = made.player(), made.player()
    running = asyncio.create_task(drain.run())
    waiting = asyncio.create_task(drain.wait())
    await asyncio.sleep(0)
    first.leave()
    done, _ = await asyncio.wait([running], timeout=0.3)
    assert not done
    last.leave()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await running
        await waiting
    assert last.socket.closes == []


async def test_remaining_players_are_closed_with_a_code_to_reconnect() -> None:
    made, drain = make(grace=0.1)
    player, streamer = made.player(), made.streamer("cam")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await drain.run()
    assert player.socket.closes == [(close_codes.RESTARTING.code, close_codes.RESTARTING.reason)]
    assert streamer.socket.closes == []


async def test_a_drain_with_zero_seconds_ends_at_once() -> None:
    made, drain = make(spread=30, grace=0)
    player = made.player()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await drain.run()
    assert player.socket.closes
