"""A page confirms its match by a message, whatever its browser answers."""

from dataclasses import dataclass, field

import pytest

from pixelfleet.net.confirmation import EXCUSED_SECONDS, PING, Confirmation
from tests.parts import eventually
from tests.unit.pixelfleet.net.servers import Recorder
from tests.unit.pixelfleet.net.sockets import FakeSocket

LONG = 600.0
"""No time that passes in a test: the test calls `_due` instead."""


@dataclass
class Page:
    """A page that is to confirm its match."""

    seconds: float = LONG
    socket: FakeSocket = field(default_factory=FakeSocket)
    player: Recorder = field(default_factory=Recorder)
    passed_over: int = 0

    def __post_init__(self) -> None:
        self.confirmation = Confirmation(self.socket.real, self.player, self.seconds, self._pass_over)
        self.confirmation.begin()

    def _pass_over(self) -> None:
        self.passed_over += 1

    def say(self, data: bytes) -> None:
        """Send a message to the present handler."""
        assert self.socket.handler is not None
        self.socket.handler.message(data)

    @property
    def pending(self) -> bool:
        return self.confirmation in self.confirmation._deadlines

    def due(self, times: int = 1) -> None:
        """Let half of the time pass."""
        for _ in range(times):
            self.confirmation._deadlines.discard(self.confirmation)
            self.confirmation._due()


@pytest.fixture
async def page() -> Page:
    return Page()


@pytest.mark.parametrize("first", [b'{"type":"listStreamers"}', b'{"type":"pong"}', b"no JSON"])
async def test_the_first_message_confirms_and_is_passed_on(page: Page, first: bytes) -> None:
    page.say(first)
    assert page.player.messages == [first]
    assert page.socket.handler is page.player
    assert not page.pending
    assert page.socket.sent == []


async def test_a_silent_page_is_asked_once_and_then_passed_over() -> None:
    page = Page(seconds=0.02)
    await eventually(lambda: page.passed_over, "the page is passed over")
    assert page.socket.sent == [PING]
    assert page.passed_over == 1
    assert page.socket.handler is page.player
    assert not page.pending


async def test_the_answer_to_the_question_confirms_and_is_not_passed_on(page: Page) -> None:
    page.due()
    page.say(b'{"type":"pong","time":0}')
    assert page.player.messages == []
    assert (page.socket.handler, page.pending) == (page.player, False)
    page.say(b'{"type":"pong","time":1}')
    assert page.player.messages == [b'{"type":"pong","time":1}']


async def test_another_message_after_the_question_is_passed_on(page: Page) -> None:
    page.due()
    page.say(b'{"type":"answer","sdp":"with the word pong"}')
    assert len(page.player.messages) == 1


async def test_the_close_ends_the_time(page: Page) -> None:
    assert page.socket.handler is not None
    page.socket.handler.closed(1006, "connection lost")
    assert page.player.ends == [(1006, "connection lost")]
    assert not page.pending


async def test_a_socket_that_closes_is_not_passed_over(page: Page) -> None:
    page.socket.lose()
    page.due(4)
    assert (page.passed_over, page.socket.sent) == (0, [])


async def test_a_restart_gives_the_whole_time_again(page: Page) -> None:
    page.due()
    page.confirmation.restart()
    page.due()
    assert (page.passed_over, page.socket.sent) == (0, [PING, PING])
    page.due()
    assert page.passed_over == 1


async def test_a_restart_after_the_first_message_has_no_effect(page: Page) -> None:
    page.say(b"first")
    page.confirmation.restart()
    assert not page.pending


async def test_a_cancelled_confirmation_gives_the_socket_back(page: Page) -> None:
    page.confirmation.cancel()
    assert (page.socket.handler, page.pending) == (page.player, False)


async def test_an_excused_page_is_not_asked_until_the_longest_time() -> None:
    page = Page(seconds=EXCUSED_SECONDS / 5)
    page.confirmation.excused = lambda: True
    page.due(10)
    assert page.socket.sent == []
    page.due(2)
    assert (page.socket.sent, page.passed_over) == ([PING], 1)
