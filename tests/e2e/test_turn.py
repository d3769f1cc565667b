"""The page in a network where only a TURN server lets video through: a real coturn that is stopped and restarted."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page
from pydantic import SecretStr

import matchmaker.app
import matchmaker.settings
import router.app
import router.settings
import signalserver.app
import signalserver.settings
import teststreamer.app
import teststreamer.settings
import turnapi.app
import turnapi.settings
from pixelfleet.fleet.memory import MemoryFleetStore
from tests.coturn import Coturn, running_coturn
from tests.e2e.conftest import playing, plays_on
from tests.parts import SIGNALSERVER_ON_FREE_PORTS, eventually

pytestmark = pytest.mark.e2e

HOST = "127.0.0.1"

BLOCKED = "Your network blocks the video"

# Makes the page's peer connections accessible to the test.
REMEMBER_CONNECTIONS = """
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) { super(...args); window.connections.push(this); }
  };
"""

SELECTED_PAIR = """async () => {
  const connection = window.connections.at(-1);
  const report = await connection.getStats();
  const transport = [...report.values()].find((entry) => entry.type === 'transport');
  const pair = report.get(transport?.selectedCandidatePairId);
  if (!pair) return null;
  const { username } = connection.getConfiguration().iceServers[0];
  return { local: report.get(pair.localCandidateId).candidateType, username };
}"""


@dataclass
class RelayedHouse:
    """All services that a relayed player needs."""

    coturn: Coturn
    signals: signalserver.app.SignalServer
    url: str

    async def paths(self) -> dict[str, float]:
        """Return the number of reported ICE paths by kind."""
        address = f"http://{HOST}:{self.signals.metrics_port}/metrics"
        async with aiohttp.ClientSession() as http, http.get(address) as answer:
            lines = (await answer.text()).splitlines()
        counts = [line.removeprefix("signalserver_video_paths_total{path=") for line in lines]
        return {name.split('"')[1]: float(name.split()[1]) for name in counts if name.startswith('"')}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[RelayedHouse]:
    store, key = MemoryFleetStore(), SecretStr(secrets.token_hex(32))
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        coturn = await enter(running_coturn(tmp_path))
        turn = await enter(
            turnapi.app.running(
                turnapi.settings.Settings(
                    host=HOST,
                    port=0,
                    metrics_port=0,
                    server=[coturn.server],
                    secret=SecretStr(coturn.secret),
                    transports=["udp"],
                    ice_transport_policy="relay",
                )
            )
        )
        common: dict[str, Any] = {"host": HOST, "metrics_port": 0}
        signals = await enter(
            signalserver.app.running(
                signalserver.settings.Settings(
                    **SIGNALSERVER_ON_FREE_PORTS,
                    session_key=key,
                    require_session=True,
                    rtc_config_url=f"http://{HOST}:{turn.port}/",
                ),
                store,
            )
        )
        matches = await enter(
            matchmaker.app.running(
                matchmaker.settings.Settings(**common, port=0, session_key=key, legacy_link=False), store
            )
        )
        entry = await enter(
            router.app.running(router.settings.Settings(**common, port=0, matchmaker=[f"ws://{HOST}:{matches.port}"]))
        )
        streamer = await enter(
            teststreamer.app.running(
                teststreamer.settings.Settings(url=f"ws://{HOST}:{signals.streamer_port}", id="relayed")
            )
        )
        await streamer.connected.wait()
        yield RelayedHouse(coturn, signals, f"http://{HOST}:{entry.port}/")


async def test_video_that_only_a_relay_lets_through_plays_and_is_counted(page: Page, house: RelayedHouse) -> None:
    await page.add_init_script(REMEMBER_CONNECTIONS)
    await page.goto(house.url)
    await playing(page)
    await plays_on(page)
    pair = await page.evaluate(SELECTED_PAIR)
    assert pair["local"] == "relay"

    async def counted() -> bool:
        return (await house.paths())["relayed"] == 1

    await eventually(counted, "the signalserver counted the ICE path")
    # The credentials are the session's own, not shared ones.
    assert ":" in pair["username"]
    assert "shared-" not in pair["username"]


@pytest.mark.parametrize("away", ["for a moment", "for some time"])
async def test_a_network_that_blocks_video_is_reported_until_it_recovers(
    page: Page, house: RelayedHouse, away: str
) -> None:
    opened: list[str] = []
    page.on("framenavigated", lambda frame: opened.append(frame.url))
    await page.goto(house.url)
    await playing(page)
    await house.coturn.kill()
    if away == "for some time":
        await page.get_by_role("heading", name=BLOCKED).wait_for()

        async def tried() -> bool:
            return (await house.paths())["none"] > 0

        # One report is certain: the streamer may close later attempts before the page has given them up.
        await eventually(tried, "the page tried without success")
    await house.coturn.start()

    await plays_on(page)
    assert len(opened) == 1, "the page was loaded again"


async def test_a_first_visit_without_an_ice_path_ends_and_can_be_retried(page: Page, house: RelayedHouse) -> None:
    await house.coturn.kill()
    await page.goto(house.url)
    ended = "() => window.pixelfleet?.state.phase === 'ended' && window.pixelfleet.state.cause"
    cause = await (await page.wait_for_function(ended)).json_value()
    assert cause == "network"
    assert await page.get_by_role("heading", name=BLOCKED).is_visible()
    await house.coturn.start()
    await page.get_by_role("button", name="Try again").click()
    await playing(page)
