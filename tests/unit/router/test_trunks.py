"""A router has at most one trunk to a matchmaker that takes players, and none for a while after a reason against it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from pixelfleet.fleet.handover import ClaimReader, handover_key
from pixelfleet.fleet.trunks import TRUNK_HEADER
from pixelfleet.net.dial import DialError
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.service.lifecycle import Tasks
from router import trunks as module
from router.handover import Offers
from router.trunks import RETRY_SECONDS, Trunks
from router.upstreams.matchmakers import Matchmakers
from router.upstreams.pool import Pool, Target
from tests.unit.pixelfleet.net.sockets import FakeSocket

KEY = handover_key("k" * 32)
URL = "ws://matchmaker:3000"


@dataclass
class Socket(FakeSocket):
    """A trunk's websocket, whose end the test decides."""

    address: str = "10.0.0.1"


@dataclass
class Setup:
    """The trunks of a router, with dials that the test answers."""

    trunks: Trunks
    pool: Pool
    sockets: list[Socket] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    refuses: bool = False
    now: float = 1000.0

    @property
    def target(self) -> Target:
        return self.pool.targets()[0]

    async def dial(
        self, url: str, opened: Callable[[WebSocket], MessageHandler], *_: object, headers: Mapping[str, str], **__: Any
    ) -> None:
        assert url.startswith(URL)
        self.claims.append(headers[TRUNK_HEADER])
        if self.refuses:
            raise DialError("refused", 403)
        socket = Socket()
        self.sockets.append(socket)
        socket.handler = opened(socket.real)

    async def offer(self) -> None:
        self.trunks.offered(self.target)
        for _ in range(3):
            await asyncio.sleep(0)

    def lose(self, number: int = -1) -> None:
        socket = self.sockets[number]
        socket.lose()
        assert socket.handler is not None
        socket.handler.closed(1006, "connection lost")


@pytest.fixture
async def setup(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Setup]:
    async with Tasks() as tasks:
        pool = Pool([URL])
        pool.resolved({URL: ["10.0.0.1"]})
        matchmakers = Matchmakers(pool, cast("Any", None))
        made = Setup(Trunks(matchmakers, Offers(KEY), tasks, Heartbeat(20.0, 10.0), 5.0), pool)
        made.trunks._now = lambda: made.now
        monkeypatch.setattr(module, "dial", made.dial)
        yield made


async def test_one_trunk_serves_a_matchmaker(setup: Setup) -> None:
    assert setup.trunks.of(setup.target) is None
    await asyncio.gather(setup.offer(), setup.offer())
    await setup.offer()
    assert len(setup.sockets) == len(setup.trunks) == 1
    assert setup.trunks.of(setup.target) is not None
    ClaimReader(KEY).check(setup.claims[0], 0.0)


@pytest.mark.parametrize("refused", [True, False])
async def test_after_a_refusal_or_a_loss_the_next_trunk_waits(setup: Setup, refused: bool) -> None:
    setup.refuses = refused
    await setup.offer()
    if not refused:
        setup.lose()
    assert setup.trunks.of(setup.target) is None
    setup.refuses = False
    await setup.offer()
    assert len(setup.claims) == 1
    setup.now += RETRY_SECONDS
    await setup.offer()
    assert len(setup.claims) == 2
    assert setup.trunks.of(setup.target) is not None


async def test_an_avoided_trunk_is_closed_without_players_and_not_replaced_before_the_time(setup: Setup) -> None:
    await setup.offer()
    setup.trunks.avoid(setup.target, setup.now + 60.0)
    setup.trunks.avoid(setup.target, setup.now + 1.0)  # no shorter
    assert setup.trunks.of(setup.target) is None
    assert [code for code, _ in setup.sockets[0].closes] == [1000]
    setup.now += 59.0
    await setup.offer()
    assert len(setup.sockets) == 1
    setup.now += 1.0
    await setup.offer()
    setup.lose(0)  # the end of the former trunk does not concern the present one
    assert setup.trunks.of(setup.target) is not None


async def test_removed_matchmakers_are_forgotten(setup: Setup) -> None:
    for number in range(5):
        setup.pool.resolved({URL: [f"10.0.0.{number}"]})
        await setup.offer()
        setup.lose()
    assert len(setup.trunks._states) <= 2


async def test_all_trunks_are_closed_at_the_end(setup: Setup) -> None:
    await setup.offer()
    setup.trunks.close()
    assert [code for code, _ in setup.sockets[0].closes] == [1000]
