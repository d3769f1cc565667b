"""A page on its way back to its session, on fake sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from pixelfleet.fleet import resumption as module
from pixelfleet.fleet.resume import ResumeToken
from pixelfleet.fleet.resumption import Resumption
from pixelfleet.fleet.returning import Refused, Resuming
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.dial import DialError
from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks
from tests.unit.pixelfleet.net.sockets import FakeSocket

RESUMING = Resuming(ResumeToken("a", "pod-1", "ws://10.0.0.1:4000", "default", "b"), "resume=text&received=3")


class Way:
    """A page that returns, and the dial of its server, pending until `answer` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tasks: Tasks, returning: Resuming | Refused = RESUMING) -> None:
        self.socket = FakeSocket()
        self.server = FakeSocket()
        self.urls: list[str] = []
        self.outcomes: list[str] = []
        self.ends: list[tuple[int, str]] = []
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(module, "dial", self._dial)
        self.handler: Any = Resumption(
            self.socket.real,
            returning,
            tasks,
            Bounds(),
            EarlyBudget(1000),
            on_outcome=self.outcomes.append,
            on_end=lambda code, reason: self.ends.append((code, reason)),
        ).begin()

    async def _dial(self, url: str, opened: Callable[[Any], Any], bounds: Bounds) -> None:
        self.urls.append(url)
        await self.answer
        self.server.handler = opened(self.server.real)

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    async with Tasks() as owner:
        yield owner


async def test_a_page_is_relayed_to_the_server_that_its_token_names(
    monkeypatch: pytest.MonkeyPatch, tasks: Tasks
) -> None:
    way = Way(monkeypatch, tasks)
    way.handler.message(b"early")
    await way.settle()
    assert way.urls == ["ws://10.0.0.1:4000/?resume=text&received=3"]
    way.answer.set_result(None)
    await way.settle()
    assert way.server.sent == [b"early"]
    assert way.outcomes == ["ok"]
    way.handler.closed(1006, "")
    assert way.server.closes == [(close_codes.PLAYER_LOST.code, close_codes.PLAYER_LOST.reason)]
    assert way.ends == [(1006, "")]


async def test_a_page_whose_server_cannot_be_dialled_is_closed(monkeypatch: pytest.MonkeyPatch, tasks: Tasks) -> None:
    way = Way(monkeypatch, tasks)
    way.answer.set_exception(DialError("refused", 403))
    await way.settle()
    assert way.socket.closes[0][0] == close_codes.SESSION_GONE.code
    assert way.outcomes == ["failed"]


async def test_a_page_that_leaves_cancels_its_dial(monkeypatch: pytest.MonkeyPatch, tasks: Tasks) -> None:
    way = Way(monkeypatch, tasks)
    await way.settle()
    way.handler.closed(1001, "")
    await way.settle()
    assert way.answer.cancelled()
    assert (way.outcomes, way.ends) == ([], [(1001, "")])


async def test_a_page_with_an_invalid_token_is_closed_without_a_dial(
    monkeypatch: pytest.MonkeyPatch, tasks: Tasks
) -> None:
    way = Way(monkeypatch, tasks, Refused("forged"))
    way.handler.message(b"late")
    way.handler.closed(4007, "")
    await way.settle()
    assert way.socket.closes[0][0] == close_codes.SESSION_GONE.code
    assert (way.urls, way.outcomes, way.ends) == ([], ["refused"], [(4007, "")])
