"""How a player's connection ended: the player gets its own code back, and each service knows which end it was."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pixelfleet.protocol.endings import Ending
from tests.integration.conftest import Chain, running_chain
from tests.integration.peers import Peer, negotiate, player, streamer
from tests.parts import eventually
from tests.unit.pixelfleet.net.raw import Op, websocket

pytestmark = pytest.mark.integration

RELAYED = pytest.param({"session_key": None}, id="relayed")
HANDED_OVER = pytest.param({}, id="handed over")


async def ended(port: int, service: str) -> dict[str, float]:
    """Return a service's players by how they ended, without zeros."""
    name = f"{service}_players_left_total"
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    counts = {line.split('"')[1]: float(line.split()[-1]) for line in lines if line.startswith(name)}
    return {ending: count for ending, count in counts.items() if count}


async def assert_ended(chain: Chain, ending: Ending, *, relayed: bool) -> None:
    """Wait until the services have counted one player that ended so, and no other."""
    ports = {"router": chain.entry.metrics_port, "signalserver": chain.signals.metrics_port}
    if relayed:
        ports["matchmaker"] = chain.matches.metrics_port
    for service, port in ports.items():
        await eventually(lambda: ended(port, service), f"the {service} has counted the end")  # noqa: B023
        assert await ended(port, service) == {ending.value: 1.0}, service


async def cut(viewer: Peer) -> None:
    viewer.socket.transport.abort()


def closing(code: int) -> Callable[[Peer], Awaitable[Any]]:
    async def close(viewer: Peer) -> None:
        await viewer.socket.close(code, "why")
        assert viewer.socket.close_code == code

    return close


@pytest.mark.parametrize("entry", [HANDED_OVER, RELAYED])
@pytest.mark.parametrize(
    ("end", "ending"),
    [
        pytest.param(closing(1000), Ending.LEFT, id="1000"),
        pytest.param(closing(4207), Ending.LEFT, id="4207"),
        pytest.param(closing(1001), Ending.CLOSED, id="1001"),
        pytest.param(cut, Ending.LOST, id="cut"),
    ],
)
async def test_every_service_knows_how_a_playing_player_ended(
    page_folder: Path, entry: dict[str, Any], end: Callable[[Peer], Awaitable[Any]], ending: Ending
) -> None:
    async with running_chain(page_folder, entry=entry) as chain, streamer(chain.streamer_url, "cam") as source:
        async with player(chain.player_url) as viewer:
            await negotiate(viewer, source, "default")
            await end(viewer)
            await source.receive("playerDisconnected")
        await assert_ended(chain, ending, relayed=bool(entry))


async def test_a_player_that_answers_no_ping_has_timed_out(page_folder: Path) -> None:
    entry = {"ping_interval": 0.2, "pong_timeout": 0.2}
    async with (
        running_chain(page_folder, entry=entry) as chain,
        streamer(chain.streamer_url, "cam"),
        websocket(chain.entry.port, "/ws") as raw,
    ):
        while (await raw.frame())[0] != Op.CLOSE:
            pass
        await raw.close()
        await assert_ended(chain, Ending.TIMED_OUT, relayed=False)


@pytest.mark.parametrize(("code", "ending"), [(1000, Ending.LEFT), (1001, Ending.CLOSED)])
async def test_the_matchmaker_knows_how_a_waiting_player_ended(chain: Chain, code: int, ending: Ending) -> None:
    async with player(chain.player_url) as viewer:
        await eventually(lambda: chain.matches.queue == 1, "the player waits")
        await viewer.socket.close(code)
        assert viewer.socket.close_code == code
    port = chain.matches.metrics_port
    await eventually(lambda: ended(port, "matchmaker"), "the matchmaker has counted the end")
    assert await ended(port, "matchmaker") == {ending.value: 1.0}
