"""Any interleaving of messages, losses, returns and acknowledgements on both sides.

Each message is delivered exactly once and in order, or the page has a close code; a slot never has two players. The
last tests plant faults, each of which these properties must find.
"""

from collections.abc import Callable, Iterator

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from structlog.testing import capture_logs

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from signalserver.core import absence
from signalserver.core.continuity import Budget, Line
from signalserver.resumable import ResumablePlayer
from tests.unit.signalserver.pages import Page, Server, make_server_without_loop


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Print no log lines: they would cost most of the time."""
    with capture_logs():
        yield


LOSSES = st.sampled_from([1006, 1001, close_codes.PONG_TIMEOUT.code, close_codes.RETURNING.code])


def candidate(number: int, **fields: str) -> dict[str, object]:
    return {"type": "iceCandidate", "candidate": {"candidate": str(number), "sdpMid": "0"}, **fields}


def numbers(messages: list[dict[str, object]]) -> list[int]:
    return [int(each["candidate"]["candidate"]) for each in messages if each["type"] == "iceCandidate"]  # type: ignore[index]


class Returning(RuleBasedStateMachine):
    """Pages want one streamer of one slot, one after the other or at the same time."""

    @initialize()
    def begin(self) -> None:
        self.server: Server = make_server_without_loop(session_key=None)
        self.pages: list[Page] = []
        self.number = 0
        self.history: dict[str, list[int]] = {}
        """What the streamer has sent to each player id while it was connected."""
        self.a_page_arrives()

    def _next(self) -> int:
        self.number += 1
        return self.number

    @property
    def page(self) -> Page:
        """The latest page, which has the slot unless its session is over."""
        return self.pages[-1]

    def _exchange(self, page: Page) -> None:
        while page.read() or (page.link is not None and page.link.deliver()):
            pass

    @rule()
    def a_page_arrives(self) -> None:
        page = self.server.arrive(f"session-{self._next()}")
        if page is not None:
            self.pages.append(page)
            self._exchange(page)
            page.send(candidate(self._next()))

    @rule(count=st.integers(1, 3))
    def the_page_sends(self, count: int) -> None:
        for _ in range(count):
            if self.page.over is None:
                self.page.send(candidate(self._next()))

    @rule(count=st.integers(1, 3))
    def the_streamer_sends(self, count: int) -> None:
        for player_id in self.server.connected():
            for _ in range(count):
                number = self._next()
                self.history.setdefault(player_id, []).append(number)
                self.server.streamer.connection.message(orjson.dumps(candidate(number, playerId=player_id)))

    @rule(count=st.integers(1, 4))
    def the_server_receives(self, count: int) -> None:
        for _ in range(count):
            if self.page.link is not None:
                self.page.link.deliver()

    @rule(count=st.integers(1, 4))
    def the_page_receives(self, count: int) -> None:
        for _ in range(count):
            self.page.read()

    @rule()
    def all_messages_arrive(self) -> None:
        self._exchange(self.page)

    @rule()
    def the_page_pings(self) -> None:
        self.page.ping()

    @rule()
    def the_connection_is_cut(self) -> None:
        self.page.cut()

    @rule(which=st.integers(0, 3), code=LOSSES)
    def the_server_notices_a_loss(self, which: int, code: int) -> None:
        lost = [link for link in self.server.links if not link.ended and link is not self.page.link]
        if lost:
            lost[which % len(lost)].end(code)

    @rule(which=st.integers(0, 3))
    def a_backlog_arrives(self, which: int) -> None:
        waiting = [link for link in self.server.links if link.up and not link.ended]
        if waiting:
            waiting[which % len(waiting)].deliver()

    @rule()
    def the_page_resumes(self) -> None:
        if self.page.over is None:
            self.page.resume()

    @rule()
    def the_page_resumes_while_its_message_is_under_way(self) -> None:
        earlier = self.page.link
        self.the_page_sends(1)
        self.the_page_resumes()
        while earlier is not None and earlier.deliver():
            pass

    @rule()
    def the_connection_is_lost_with_messages_in_both_directions(self) -> None:
        self._exchange(self.page)
        self.the_page_sends(2)
        self.the_streamer_sends(2)
        self.page.cut()
        self.the_page_resumes()
        self._exchange(self.page)

    @rule()
    def the_page_negotiates_again(self) -> None:
        if self.page.over is None:
            self.page.negotiate()

    @rule()
    def the_page_says_goodbye(self) -> None:
        if self.page.link is not None:
            self.page.link.end(1000)
            self.page.cut()
            self.page.over = 1000

    @rule()
    def the_windows_pass(self) -> None:
        self.server.expire()
        assert self.server.made.hub.switchboard.away_count == 0

    @invariant()
    def a_slot_has_one_player(self) -> None:
        if hasattr(self, "server"):
            self.server.connected()

    def teardown(self) -> None:
        if not hasattr(self, "server"):
            return
        for page in self.pages:
            self._let_return(page)
        self._check_streamer()
        for page in self.pages:
            if page.link is not None:
                page.link.end(1000)
        self.server.settle()
        for link in self.server.links:
            link.end(1006)
        self.server.expire()
        self._check_that_nothing_is_held()

    def _let_return(self, page: Page) -> None:
        """Let a page return until it has everything, or a close code."""
        for _ in range(4):
            if page.over is not None or not page.token:
                return
            if page.link is None or not page.greeted:
                page.resume()
            self._exchange(page)
        if page.over is None and page.received:
            got = numbers(page.received)
            player = self.server.returns._players[self._session(page)]
            assert got == self.history.get(player.connection.peer_id, []), "the page has each message once, in order"

    def _session(self, page: Page) -> str:
        assert page.session_id is not None
        return page.session_id

    def _check_streamer(self) -> None:
        """The streamer has the messages of each player once and in order, and all those of the pages that returned."""
        received: dict[str, list[int]] = {}
        for message in self.server.streamer.received():
            if message["type"] == "iceCandidate":
                received.setdefault(message["playerId"], []).extend(numbers([message]))
        for each in received.values():
            assert each == sorted(set(each)), "a message twice, or out of order"
        for page in self.pages:
            if page.over is None and page.token and page.received:
                player = self.server.returns._players[self._session(page)]
                assert received.get(player.connection.peer_id, []) == numbers(page.sent), "a message was lost"

    def _check_that_nothing_is_held(self) -> None:
        returns, hub = self.server.returns, self.server.made.hub
        assert not returns._players
        assert returns._budget == Budget()
        assert not self.server.connected()
        assert len(hub.switchboard) == 1
        assert len(hub._connections) == 1
        assert hub.switchboard.away_count == 0


TestReturning = Returning.TestCase
TestReturning.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


# -- planted faults ---------------------------------------------------------------------------------


class SkippingReplay(Line):
    """Leaves out the first message that the page lacks."""

    def resume(self, received: int) -> list[bytes] | None:
        messages = super().resume(received)
        return messages and messages[1:]


class RepeatingReplay(Line):
    """Sends the first message that the page lacks twice."""

    def resume(self, received: int) -> list[bytes] | None:
        messages = super().resume(received)
        return messages and [messages[0], *messages]


class EagerAcknowledgement(Line):
    """Drops a message more than the page has."""

    def acknowledge(self, received: int) -> None:
        super().acknowledge(min(received + 1, self.sent))


class TwoSockets(ResumablePlayer):
    """Lets the old connection go on when a newer one has the same token."""

    def _close_sockets(self) -> None:
        self._socket = self._next = None


class MiscountedMessages(ResumablePlayer):
    """Does not count what the page sends."""

    def message(self, data: bytes) -> None:
        super().message(data)
        self.line.received = 0


class TwoPlayers(ResumablePlayer):
    """Does not remove the earlier player of the session."""

    def give_way(self) -> None:
        pass

    def _end(self, why: CloseCode | None, reason: str) -> None:
        self._ended = True


Fault = Callable[[pytest.MonkeyPatch], None]


def line(fault: type[Line]) -> Fault:
    return lambda patch: patch.setattr("signalserver.returns.Line", fault)


def player(fault: type[ResumablePlayer]) -> Fault:
    return lambda patch: patch.setattr("signalserver.returns.ResumablePlayer", fault)


FAULTS: dict[str, Fault] = {
    "a skipped replay": line(SkippingReplay),
    "a double delivery": line(RepeatingReplay),
    "an acknowledgement too many": line(EagerAcknowledgement),
    "a token taken twice": player(TwoSockets),
    "messages not counted": player(MiscountedMessages),
    "two players in one slot": player(TwoPlayers),
    "a missing expiry": lambda patch: patch.setattr(absence, "expire", lambda state: None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[fault](monkeypatch)
    thorough = settings(
        max_examples=500,
        stateful_step_count=40,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises((AssertionError, KeyError)):  # a faulty server may also fail on its own books
        run_state_machine_as_test(Returning, settings=thorough)
