"""The whole chain for a run: the demo's router, matchmaker, signalserver and test streamers, behind a wire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from tests.interop.wire import Wire, wire_to
from tests.parts import eventually
from teststreamer.streamer import Streamer


@dataclass(frozen=True)
class Fleet:
    """A running demo; browsers reach its router through the wire."""

    demo: demo.Demo
    wire: Wire

    @property
    def signalling_url(self) -> str:
        """Where the router accepts players."""
        return f"ws://127.0.0.1:{self.wire.port}/ws"

    @property
    def page_url(self) -> str:
        """The address of Pixelfleet's own page."""
        return f"http://127.0.0.1:{self.wire.port}/"

    @property
    def streamer_url(self) -> str:
        """Where the signalserver accepts further streamers."""
        return f"ws://127.0.0.1:{self.demo.signalserver.streamer_port}"

    async def serving(self) -> Streamer:
        """Return the streamer that has the only player, once there is one."""

        def found() -> Streamer | None:
            return next((each for each in self.demo.streamers if len(each.players) == 1), None)

        streamer = await eventually(found, "a streamer has the player")
        assert streamer is not None
        return streamer

    async def serving_another_than(self, players: set[str]) -> Streamer:
        """Return the streamer that has a player which is not one of these, and no other, once there is one."""

        def found() -> Streamer | None:
            return next((each for each in self.demo.streamers if each.players and not players & {*each.players}), None)

        streamer = await eventually(found, "a streamer has a new player")
        assert streamer is not None
        return streamer


@asynccontextmanager
async def running_fleet(streamers: int = 1) -> AsyncIterator[Fleet]:
    """Run the chain with this number of test streamers, each for one player."""
    settings = Settings(port=0, streamer_port=0, streamers=streamers)
    async with demo.running(settings) as running, wire_to(running.router.port) as wire:
        yield Fleet(running, wire)
