"""A fleet with two test streamers, behind a network that a test controls."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import matchmaker.app
import matchmaker.settings
import signalserver.app
import signalserver.settings
import teststreamer.app
import teststreamer.settings
from pixelfleet.fleet.memory import MemoryFleetStore
from tests.e2e.network import Network, network
from tests.e2e.script import front_of
from tests.parts import SIGNALSERVER_ON_FREE_PORTS
from teststreamer.peer import Peer
from teststreamer.streamer import Streamer

KEY: Final = "k" * 40
"""The session key, which is the link key as well."""


@dataclass(slots=True)
class Fleet:
    """A running fleet."""

    network: Network
    streamers: list[Streamer]
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """The URL of the page."""
        return f"http://{self.host}:{self.network.port}/"

    @property
    def players(self) -> list[dict[str, Peer]]:
        """The players of each streamer by id; a new negotiation makes a new one."""
        return [dict(each.players) for each in self.streamers]


@asynccontextmanager
async def fleet(
    host: str = "127.0.0.1", limits: Mapping[str, Any] = MappingProxyType({}), **access: Any
) -> AsyncIterator[Fleet]:
    """Run a fleet whose page and media are at the address `host`.

    `limits` are settings of the signalling server, `access` of matchmaker and router.
    """
    store = MemoryFleetStore()
    keys: dict[str, Any] = {"session_key": KEY}
    async with AsyncExitStack() as stack:
        made = signalserver.settings.Settings(**SIGNALSERVER_ON_FREE_PORTS, **keys, **limits, require_session=True)
        signals = await stack.enter_async_context(signalserver.app.running(made, store))
        common: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "metrics_port": 0, "legacy_link": False}
        matches = await stack.enter_async_context(
            matchmaker.app.running(matchmaker.settings.Settings(**common, **keys, trusted_proxies=1, **access), store)
        )
        entry = await stack.enter_async_context(front_of([f"ws://127.0.0.1:{matches.port}"], **keys, **access))
        streamers = []
        for number in (1, 2):
            settings = teststreamer.settings.Settings(
                url=f"ws://127.0.0.1:{signals.streamer_port}",
                id=f"cam-{number}",
                width=640,
                height=360,
                fps=15,
                sound=False,
            )
            streamers.append(await stack.enter_async_context(teststreamer.app.running(settings)))
        for each in streamers:
            await each.connected.wait()
        between = await stack.enter_async_context(network(entry.port, host))
        yield Fleet(between, streamers, host)
