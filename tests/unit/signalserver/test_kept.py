"""Pages without tokens, whose sessions are kept for the cookie of their router."""

import orjson
import pytest

from pixelfleet.fleet import resume
from pixelfleet.fleet.resume import ResumeToken, resume_key
from pixelfleet.protocol import close_codes
from signalserver.resumable import KeptPlayer
from tests.unit.pixelfleet.net.sockets import FakeSocket
from tests.unit.signalserver.core.conversation import CANDIDATE
from tests.unit.signalserver.pages import Link, Server, make_server

GONE = (close_codes.SESSION_GONE.code, close_codes.SESSION_GONE.reason)


@pytest.fixture
async def server() -> Server:
    return make_server()


def subscribed(server: Server) -> Link:
    """Return a page without tokens that plays."""
    link = server.keep("session-1")
    send(link, "subscribe", streamerId="game")
    return link


def send(link: Link, kind: str, **fields: object) -> None:
    link.up.append(orjson.dumps({"type": kind, **fields}))
    link.deliver()


def kinds(link: Link) -> list[str]:
    return [orjson.loads(data)["type"] for data in link.socket.sent]


def back(server: Server, query: str = "fresh=1&kept=1") -> Link:
    """Dial as a matchmaker does that brings the page back."""
    token = ResumeToken("session-1", "pod-1", "ws://10.0.0.1:4000", "game", "")
    return server.dial(f"resume={resume.sign(token, resume_key('k' * 32))}&{query}")


async def test_a_kept_page_gets_no_message_that_it_does_not_know(server: Server) -> None:
    link = subscribed(server)
    send(link, "ping", time=1)
    assert kinds(link)[0] == "config"
    assert "session" not in kinds(link)
    assert orjson.loads(link.socket.sent[-1]) == {"type": "pong", "time": 1}


@pytest.mark.parametrize("code", [1001, 1006])
async def test_an_away_page_is_brought_back_as_a_new_player_in_its_slot(server: Server, code: int) -> None:
    first = subscribed(server)
    (before,) = server.connected()
    first.end(code)
    again = back(server)
    send(again, "subscribe", streamerId="game")
    (after,) = server.connected()
    assert after != before
    assert kinds(again)[0] == "config"
    assert server.made.hub.switchboard.away_count == 0


async def test_a_page_that_is_not_away_keeps_its_session(server: Server) -> None:
    first = subscribed(server)
    assert back(server).socket.closes == [GONE]
    assert first.socket.closes == []


async def test_a_session_is_given_back_once(server: Server) -> None:
    subscribed(server).end(1001)
    again = back(server)
    assert back(server).socket.closes == [GONE]
    assert again.socket.is_open


async def test_the_session_of_a_page_with_tokens_is_not_given_to_one_without(server: Server) -> None:
    page = server.arrive("session-1")
    assert page is not None
    assert page.link is not None
    page.link.end(1001)
    assert back(server).socket.closes == [GONE]


async def test_a_kept_session_is_not_resumed_with_a_token(server: Server) -> None:
    subscribed(server).end(1001)
    assert back(server, "fresh=1").socket.closes == [GONE]


async def test_the_messages_of_a_kept_page_are_not_kept(server: Server) -> None:
    link = subscribed(server)
    (player_id,) = server.connected()
    for _ in range(100):
        server.streamer.send("iceCandidate", candidate=CANDIDATE, playerId=player_id)
    assert kinds(link).count("iceCandidate") == 100
    assert isinstance(link.socket.handler, KeptPlayer)
    assert len(link.socket.handler.line._kept) <= 1
    assert link.socket.handler.line._granted == 0


async def test_a_kept_session_expires(server: Server) -> None:
    subscribed(server).end(1001)
    server.expire()
    assert server.connected() == []
    assert back(server).socket.closes == [GONE]


async def test_a_page_that_left_before_its_configuration_is_brought_back_again(server: Server) -> None:
    first = subscribed(server)
    player = first.socket.handler
    assert isinstance(player, KeptPlayer)
    first.end(1001)
    waiting = Link(FakeSocket())
    player.await_next(waiting.socket.real)
    assert not player.is_away
    waiting.end(1001)
    assert player.is_away
