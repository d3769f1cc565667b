"""Routers and matchmakers are replaced one after the other, and neither who plays nor who waits loses anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr

import matchmaker.app
import matchmaker.settings
import router.app
import router.settings
from pixelfleet.auth.links import SignedLink, sign
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.service.lifecycle import background
from tests.integration.peers import Message, Peer, player, streamer
from tests.integration.resuming_page import ResumingPage, resuming_page
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.parts import PATIENCE_SECONDS, eventually, free_ports
from tests.unit.signalserver.core.conversation import CANDIDATE

pytestmark = pytest.mark.integration

KEY = "k" * 32


@pytest.fixture(autouse=True)
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let routers notice at once that a matchmaker has stopped or started."""
    monkeypatch.setattr("router.upstreams.matchmakers.CHECK_SECONDS", 0.05)


class Fleet:
    """Two routers, two matchmakers and one signalling server on one store."""

    def __init__(self, page: Path, store: MemoryFleetStore, pod: RunningSignalserver, **settings: Any) -> None:
        self.store = store
        self.pod = pod
        self._common: Final = {"host": "127.0.0.1", "metrics_port": 0, "session_key": KEY, **settings}
        self._page = page
        ports = free_ports(4)
        self.router_ports, self._matchmaker_ports = ports[:2], ports[2:]
        self._stacks: dict[int, AsyncExitStack] = {}
        self._running: dict[int, Any] = {}
        self._turn = count()

    def entry(self) -> str:
        """Return the URL of a router in turn, as a load balancer chooses one."""
        ready = [port for port in self.router_ports if port in self._running and not self._running[port].unready()]
        ports = ready or self.router_ports
        return f"ws://127.0.0.1:{ports[next(self._turn) % len(ports)]}/ws"

    async def start(self) -> None:
        """Start all services."""
        for port in (*self._matchmaker_ports, *self.router_ports):
            await self._start(port)

    async def _start(self, port: int) -> None:
        stack = self._stacks[port] = AsyncExitStack()
        settings = {**self._common, "port": port, "spread_seconds": 0.0, "drain_seconds": PATIENCE_SECONDS}
        if port in self._matchmaker_ports:
            service: Any = matchmaker.app.running(
                matchmaker.settings.Settings(**settings, legacy_link=False), self.store
            )
        else:
            urls = [f"ws://127.0.0.1:{each}" for each in self._matchmaker_ports]
            service = router.app.running(router.settings.Settings(**settings, page=self._page, matchmaker=urls))
        self._running[port] = await stack.enter_async_context(service)

    async def stop(self, port: int) -> None:
        """Stop one service as SIGTERM does."""
        await self._running[port].drain()
        del self._running[port]
        await self._stacks.pop(port).aclose()

    async def replace_all(self) -> None:
        """Replace all routers and matchmakers, one after the other."""
        for port in (*self.router_ports, *self._matchmaker_ports):
            await self.stop(port)
            await self._start(port)
            await eventually(self._all_are_ready, "all are ready")

    def _all_are_ready(self) -> bool:
        """Return whether all services are ready, and the routers know that."""
        services = self._running.values()
        usable = [each.matchmakers.usable() for each in services if isinstance(each, router.app.Router)]
        return not any(each.unready() for each in services) and usable == [2, 2]

    async def close(self) -> None:
        for stack in self._stacks.values():
            await stack.aclose()


@asynccontextmanager
async def running_fleet(page: Path, **settings: Any) -> AsyncIterator[Fleet]:
    store = MemoryFleetStore()
    async with running_signalserver(store, session_key=SecretStr(KEY), require_session=True) as pod:
        fleet = Fleet(page, store, pod, **settings)
        try:
            await fleet.start()
            yield fleet
        finally:
            await fleet.close()


class Conversation:
    """Numbered messages in both directions, for as long as it runs."""

    def __init__(self, page: ResumingPage, source: Peer, player_id: str) -> None:
        self._page = page
        self._source = source
        self._player_id = player_id
        self._sent = 0
        self.at_streamer: list[Message] = []

    async def run(self) -> None:
        while True:
            await self._exchange()
            await asyncio.sleep(0.01)

    async def _exchange(self) -> None:
        candidate = {**CANDIDATE, "candidate": f"candidate:{self._sent}"}
        self._sent += 1
        await self._page.send("iceCandidate", candidate=candidate)
        await self._source.send("iceCandidate", candidate=candidate, playerId=self._player_id)
        if self._sent % 10 == 0:
            await self._page.beat()

    async def assert_whole(self) -> None:
        """Assert that both sides have received each message once, in order, and the streamer nothing else."""
        await self._exchange()
        for number in range(self._sent):
            for message in (await self._source.receive_any(), await self._page.receive("iceCandidate")):
                assert message["type"] == "iceCandidate", message
                assert message["candidate"]["candidate"] == f"candidate:{number}"


async def test_a_rolling_replacement_is_not_noticed_by_those_who_play_and_those_who_wait(page_folder: Path) -> None:
    async with (
        running_fleet(page_folder) as fleet,
        streamer(fleet.pod.streamer_url, "cam") as source,
        resuming_page(fleet.entry) as playing,
    ):
        talk = Conversation(playing, source, await playing.negotiate(source, "default"))
        async with AsyncExitStack() as stack:
            waiting = []
            for _ in range(4):
                waiting.append(await stack.enter_async_context(resuming_page(fleet.entry)))
                await waiting[-1].waits()
            async with background(talk.run()):
                await fleet.replace_all()
                await fleet.replace_all()
            await talk.assert_whole()
            assert playing.arrivals == 1
            assert playing.resumed == len(playing.closes) > 0
            assert set(playing.closes) == {4005}
            assert [page.arrivals for page in waiting] == [1] * 4
            assert all(page.closes and set(page.closes) == {4005} for page in waiting)

            async def all_wait() -> bool:
                return len((await fleet.store.snapshot()).queue) == 4

            await eventually(all_wait, "all wait again")
            await playing.send("unsubscribe")
            await source.receive("playerDisconnected")


async def test_a_waiting_page_that_returned_is_served_first(page_folder: Path) -> None:
    async with running_fleet(page_folder) as fleet, AsyncExitStack() as stack:
        pages = []
        for _ in range(3):
            pages.append(await stack.enter_async_context(resuming_page(fleet.entry)))
            await pages[-1].waits()
        pages[0].cut()
        await eventually(lambda: pages[0].dials == 2, "it has dialled again")

        async def all_wait() -> bool:
            return len((await fleet.store.snapshot()).queue) == 3

        await eventually(all_wait, "it waits again")
        await stack.enter_async_context(streamer(fleet.pod.streamer_url, "cam"))
        await pages[0].receive("config")
        assert [page.plays for page in pages] == [True, False, False]


async def test_who_came_with_a_single_use_link_returns_without_it(page_folder: Path) -> None:
    async with running_fleet(page_folder, auth="link", link_key=KEY) as fleet:
        first, second = (sign(SignedLink(once=True), KEY, 60) for _ in range(2))
        async with (
            resuming_page(fleet.entry, link=first) as playing,
            streamer(fleet.pod.streamer_url, "cam") as source,
        ):
            talk = Conversation(playing, source, await playing.negotiate(source, "default"))
            async with resuming_page(fleet.entry, link=second) as waiting:
                await waiting.waits()
                # All routers are gone until both pages have dialled in vain.
                for port in fleet.router_ports:
                    await fleet.stop(port)
                dials = playing.dials, waiting.dials
                await eventually(lambda: playing.dials > dials[0] + 1 and waiting.dials > dials[1] + 1, "both dial")
                for port in fleet.router_ports:
                    await fleet._start(port)
                await eventually(lambda: playing.resumed, "it plays")
                await talk.assert_whole()
                assert (playing.arrivals, waiting.arrivals) == (1, 1)
                for link in (first, second):
                    async with player(f"{fleet.entry()}?link={link}") as viewer:
                        assert (await viewer.closed())[0] == 4200
