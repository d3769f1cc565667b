"""Pages that return to their sessions: tokens, refusals, and who has the slot."""

import asyncio
from time import perf_counter
from typing import Any, cast

import orjson
import pytest
from structlog.testing import capture_logs

from pixelfleet.fleet import resume
from pixelfleet.fleet.resume import ResumeToken, resume_key
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.messages import Message
from pixelfleet.service import signing
from pixelfleet.service.lifecycle import Tasks
from signalserver import resumable
from signalserver import returns as returns_module
from signalserver.config_wait import ConfigWaits
from signalserver.core.continuity import MAX_BYTES, MESSAGE_BYTES
from signalserver.core.roster import Role
from signalserver.core.session_time import SessionRules
from signalserver.core.state import Rules
from signalserver.rtc_config import RtcConfigSource
from tests.parts import eventually
from tests.unit.signalserver.core.conversation import CANDIDATE, CONFIG
from tests.unit.signalserver.pages import Link, Page, Server, make_server

KEY = "k" * 32
ICE: Message = {"type": "iceCandidate", "candidate": CANDIDATE}


@pytest.fixture
async def server() -> Server:
    return make_server()


def arrived(server: Server, session_id: str = "session-1") -> Page:
    """Return a page that has negotiated: the streamer has its player."""
    page = server.arrive(session_id)
    assert page is not None
    page.read()
    page.send({"type": "subscribe", "streamerId": "game"})
    deliver(page)
    return page


def deliver(page: Page) -> None:
    """Deliver everything in both directions."""
    while page.read() or (page.link is not None and page.link.deliver()):
        pass


def lost(page: Page, code: int = 1006) -> None:
    """Cut a page's connection, and let the server notice."""
    assert page.link is not None
    link = page.link
    page.cut()
    link.end(code)


def messages(link: Link) -> list[Message]:
    return [orjson.loads(data) for data in link.socket.sent]


def player_of(server: Server) -> str:
    (player_id,) = server.connected()
    return player_id


# -- tokens -----------------------------------------------------------------------------------------


async def test_a_page_gets_its_token_before_its_configuration(server: Server) -> None:
    server.returns.url = "ws://10.0.0.1:4000"
    page = arrived(server)
    assert page.link is not None
    greeting, config = messages(page.link)
    assert (greeting["type"], greeting["resumeSeconds"], greeting["reloadSeconds"]) == ("session", 30, 5)
    assert config["type"] == "config"
    token = resume.verify(page.token, resume_key(KEY))
    assert (token.session_id, token.server_id, token.url) == ("session-1", "pod-1", "ws://10.0.0.1:4000")
    assert (token.role, token.app) == ("player", "default")


async def test_a_spectators_token_has_its_role(server: Server) -> None:
    arrived(server)
    page = server.arrive("session-2", spectator=True)
    assert page is not None
    page.read()
    assert resume.verify(page.token, resume_key(KEY)).role == "spectator"


@pytest.mark.parametrize("case", ["forged", "foreign", "expired", "unknown", "another kind", "garbage"])
async def test_an_invalid_token_gets_a_code_and_takes_nothing(server: Server, case: str) -> None:
    page = arrived(server)
    right = resume.verify(page.token, resume_key(KEY))
    claims = {"sub": "session-1", "srv": "pod-1", "url": "ws://a", "app": "default", "line": right.line}
    token = {
        "forged": resume.sign(right, resume_key("x" * 32)),
        "foreign": resume.sign(ResumeToken("session-1", "pod-2", "ws://a", "default", right.line), resume_key(KEY)),
        "expired": signing.sign(claims, resume_key(KEY), audience=resume.AUDIENCE, seconds=-3600),
        "unknown": resume.sign(ResumeToken("session-2", "pod-1", "ws://a", "default", "a"), resume_key(KEY)),
        "another kind": signing.sign(claims, resume_key(KEY), audience="pod-1", seconds=60),
        "garbage": "a.b.c",
    }[case]
    for query in ("received=0", "fresh=1"):
        link = server.dial(f"resume={token}&{query}")
        assert link.socket.closes == [(4007, "the session cannot be resumed")]
        assert link.socket.sent == []
    assert page.link is not None
    assert page.link.socket.closes == []
    page.send(ICE)
    deliver(page)
    assert server.streamer.kinds()[-1] == "iceCandidate"
    assert server.series("signalserver_closes_total", role="player", reason="session_gone") == 2


async def test_without_a_session_key_a_token_is_good_for_this_process_only() -> None:
    server, other = make_server(session_key=None), make_server(session_key=None)
    page = arrived(server)
    lost(page)
    assert other.dial(f"resume={page.token}&received=0").socket.closes[0][0] == 4007
    page.resume()
    deliver(page)
    assert page.greeted


async def test_a_page_without_a_session_of_the_fleet_returns_too() -> None:
    server = make_server(session_key=None)
    page = Page(server, None)
    page.connect()
    deliver(page)
    lost(page)
    page.resume()
    deliver(page)
    assert page.greeted
    first = page.token
    page.negotiate()
    deliver(page)
    assert server.dial(f"resume={first}&fresh=1").socket.closes == []
    assert page.link is not None
    assert page.link.socket.closes[0][0] == 4208


# -- resume -----------------------------------------------------------------------------------------


async def test_a_resumed_page_gets_what_it_lacks_and_the_streamer_notices_nothing(server: Server) -> None:
    page = arrived(server)
    player_id = player_of(server)
    server.streamer.send("offer", sdp="v=0", playerId=player_id)
    deliver(page)
    before = len(server.streamer.received())
    lost(page)
    server.streamer.send("iceCandidate", candidate=CANDIDATE, playerId=player_id)
    page.send(ICE)
    page.resume()
    assert page.link is not None
    greeting, missing = messages(page.link)
    assert greeting == {"type": "session", "resumed": True, "received": 1, "resumeSeconds": 30, "reloadSeconds": 5}
    assert missing["type"] == "iceCandidate"
    deliver(page)
    assert [each["type"] for each in page.received] == ["config", "offer", "iceCandidate"]
    assert [each["type"] for each in server.streamer.received()[before:]] == ["iceCandidate"]
    assert server.series("pixelfleet_sessions_resumed_total", how="resume") == 1


async def test_the_newest_connection_has_the_session(server: Server) -> None:
    page = arrived(server)
    old = page.link
    assert old is not None
    page.send(ICE)  # still under way when the page connects again
    before = len(server.streamer.received())
    page.resume()
    assert old.socket.closes == [(4208, "the session goes on over another connection")]
    assert old.deliver()
    deliver(page)
    assert len(server.streamer.received()) == before + 1
    assert server.series("pixelfleet_sessions_away") == 0
    old.end(1006)
    assert len(server.made.hub.connections(Role.PLAYER)) == 1


async def test_a_heartbeat_is_answered_with_the_messages_that_were_received(server: Server) -> None:
    page = arrived(server)
    player = server.player_of(page)
    assert page.link is not None
    assert player.line.sent == 1
    page.ping()
    deliver(page)
    assert messages(page.link)[-1] == {"type": "pong", "time": 1, "received": 1}
    assert (player.line.acknowledged, player.line.sent, player.line.received) == (1, 1, 1)
    assert server.made.metrics.messages.received["player", "ping"] == 1
    assert server.made.metrics.messages.sent["pong"] == 1


@pytest.mark.parametrize(
    "ping",
    [
        {"type": "ping", "time": "soon"},
        {"type": "ping", "received": -1},
        {"type": "ping", "received": "1"},
        {"type": "offer", "sdp": '"ping"'},
    ],
)
async def test_other_messages_are_counted_and_handled_by_the_switchboard(server: Server, ping: Message) -> None:
    page = arrived(server)
    player = server.player_of(page)
    player.message(orjson.dumps(ping))
    assert player.line.received == 2
    assert server.made.metrics.messages.received["player", ping["type"]] == 1


async def test_a_heartbeat_needs_neither_a_time_nor_a_count(server: Server) -> None:
    page = arrived(server)
    server.player_of(page).message(b'{"type":"ping"}')
    assert page.link is not None
    assert messages(page.link)[-1] == {"type": "pong", "received": 1}


@pytest.mark.parametrize("received", ["", "&received=", "&received=x", "&received=-1", "&received=99", "&received=1e9"])
async def test_a_page_with_an_impossible_count_must_negotiate_again(server: Server, received: str) -> None:
    page = arrived(server)
    lost(page)
    link = server.dial(f"resume={page.token}{received}")
    assert link.socket.closes == [(4008, "messages were lost; negotiate again")]
    assert server.series("pixelfleet_sessions_away") == 1


async def test_a_new_negotiation_continues_the_time_of_its_session() -> None:
    server = make_server(Rules(session=SessionRules(session_seconds=600)))
    page = arrived(server)
    (before,) = server.made.hub.switchboard.players()
    lost(page, 1001)
    server.dial(f"resume={page.token}&fresh=1")
    (after,) = server.made.hub.switchboard.players()
    assert after is not before
    assert after.time is before.time
    assert after.hears_limits


async def test_a_page_whose_messages_are_no_longer_kept_negotiates_again_with_the_same_streamer(server: Server) -> None:
    page = arrived(server)
    lost(page)
    for _ in range(MAX_BYTES // MESSAGE_BYTES):
        server.streamer.send("iceCandidate", candidate=CANDIDATE, playerId=player_of(server))
    page.resume()
    deliver(page)
    assert page.must_negotiate
    page.resume()
    deliver(page)
    assert [each["type"] for each in page.received] == ["config"]
    assert server.series("pixelfleet_sessions_resumed_total", how="fresh") == 1


# -- a new negotiation ------------------------------------------------------------------------------


async def test_a_new_negotiation_is_a_new_player_in_the_same_slot(server: Server) -> None:
    page = arrived(server)
    first, old = player_of(server), page.link
    assert old is not None
    page.negotiate()
    page.send({"type": "subscribe", "streamerId": "game"})
    deliver(page)
    second = player_of(server)
    assert first != second
    assert old.socket.closes[0][0] == 4208
    (connection,) = server.made.hub.connections(Role.PLAYER)
    assert (connection.session_id, connection.peer_id) == ("session-1", second)
    assert server.arrive("session-2") is None


async def test_a_page_that_negotiates_again_when_its_time_is_over_is_counted_once() -> None:
    server = make_server(Rules(session=SessionRules(session_seconds=100, warn_seconds=60)))
    page = arrived(server)
    switchboard, now = server.made.hub.switchboard, perf_counter()
    server.made.hub.execute(switchboard.tick(now + 99))
    for player in switchboard.players():
        assert player.warned is not None
        assert player.time.started is not None
        player.time.started -= 200
    page.negotiate()
    assert server.made.hub.count(Role.PLAYER) == 1
    server.made.hub.execute(switchboard.tick(now))
    server.settle()
    assert server.made.hub.count(Role.PLAYER) == 0
    assert server.made.hub.connections(Role.PLAYER) == []


async def test_a_token_of_an_earlier_negotiation_continues_nothing_but_can_negotiate_again(server: Server) -> None:
    page = arrived(server)
    earlier = page.token
    page.negotiate()
    deliver(page)
    assert server.dial(f"resume={earlier}&received=0").socket.closes[0][0] == 4008
    assert page.link is not None
    assert page.link.socket.closes == []
    assert server.dial(f"resume={earlier}&fresh=1").socket.closes == []
    assert page.link.socket.closes[0][0] == 4208


class SlowConfig:
    """A source of configurations that waits."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.names: list[str] = []

    def immediate_message(self) -> None:
        return None

    async def for_session(self, name: str, *, role: str | None = None) -> bytes:
        self.names.append(name)
        await self.ready.wait()
        return CONFIG


@pytest.fixture
async def slow(server: Server) -> SlowConfig:
    """Let the next negotiations wait for their configuration."""
    config = SlowConfig()
    server.returns._waits = ConfigWaits(cast("RtcConfigSource", config), server.made.metrics, Tasks())
    return config


async def test_a_session_keeps_its_slot_while_its_page_waits_for_a_configuration(
    server: Server, slow: SlowConfig
) -> None:
    page = arrived(server)
    server.made.hub.sessions.reported(server.made.hub.sessions.ended())
    page.negotiate()
    await eventually(lambda: slow.names == ["session-1"], "the configuration is requested")
    assert server.arrive("session-2") is None
    assert server.made.hub.sessions.ended() == ()
    slow.ready.set()
    await eventually(lambda: page.link is not None and page.link.socket.sent, "the page has its configuration")
    deliver(page)
    assert [each["type"] for each in page.received] == ["config"]
    assert server.series("pixelfleet_sessions_away") == 0


async def test_a_page_that_waits_for_a_configuration_is_closed_with_its_session(
    server: Server, slow: SlowConfig
) -> None:
    page = arrived(server)
    page.negotiate()
    await eventually(lambda: slow.names == ["session-1"], "the configuration is requested")
    assert page.link is not None
    server.made.hub.end_session("session-1")
    assert page.link.socket.closes == [(4201, "removed by the host")]
    slow.ready.set()
    assert server.made.hub.connections(Role.PLAYER) == []


async def test_a_page_that_waits_for_a_configuration_gives_way_to_a_newer_connection(
    server: Server, slow: SlowConfig
) -> None:
    page = arrived(server)
    count = len(page.received)
    page.negotiate()
    await eventually(lambda: slow.names == ["session-1"], "the configuration is requested")
    waiting = page.link
    assert waiting is not None
    newer = server.dial(f"resume={page.token}&received={count}")
    assert waiting.socket.closes[0][0] == 4208
    assert newer.socket.closes == []
    assert server.series("pixelfleet_sessions_away") == 0
    assert len(server.made.hub.connections(Role.PLAYER)) == 1


async def test_a_page_that_leaves_while_it_waits_for_a_configuration_has_its_time_to_return(
    server: Server, slow: SlowConfig
) -> None:
    page = arrived(server)
    page.negotiate()
    await eventually(lambda: slow.names == ["session-1"], "the configuration is requested")
    lost(page)
    assert len(server.connected()) == 1
    server.expire()
    assert server.connected() == []
    assert server.made.hub.connections(Role.PLAYER) == []


# -- the end of a session ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "seconds"),
    [
        (1006, 30),
        (1012, 30),
        (close_codes.SLOW_CONSUMER.code, 30),
        (close_codes.PONG_TIMEOUT.code, 30),
        (close_codes.PLAYER_LOST.code, 30),
        (close_codes.PLAYER_TIMED_OUT.code, 30),
        (close_codes.RETURNING.code, 30),
        (1001, 5),
        (close_codes.PLAYER_CLOSED.code, 5),
        (1000, 0),
        (1005, 0),
        (4000, 0),
        (close_codes.RATE_LIMITED.code, 0),
    ],
)
async def test_the_end_of_a_connection_determines_how_long_its_session_is_kept(
    server: Server, code: int, seconds: float
) -> None:
    page = arrived(server)
    with capture_logs() as lines:
        lost(page, code)
    kept = [line["seconds"] for line in lines if line["event"] == "player away"]
    assert kept == ([seconds] if seconds else [])
    assert len(server.connected()) == bool(seconds)
    assert server.series("signalserver_closes_total", role="player", reason=close_codes.label_of(code)) == 1


@pytest.mark.parametrize(("code", "cause"), [(1006, "lost"), (1001, "closed"), (4302, "timed_out")])
async def test_a_session_ends_when_its_player_does_not_return(server: Server, code: int, cause: str) -> None:
    page = arrived(server)
    lost(page, code)
    assert server.series("pixelfleet_sessions_away") == 1
    server.expire()
    assert server.connected() == []
    assert server.series("pixelfleet_sessions_away") == 0
    assert server.series("pixelfleet_sessions_expired_total", cause=cause) == 1
    page.resume()
    deliver(page)
    assert page.over == 4007
    assert server.arrive("session-2") is not None


async def test_without_a_time_for_reloads_a_closed_tab_ends_its_session() -> None:
    server = make_server(reload_seconds=0)
    page = arrived(server)
    lost(page, 1001)
    assert server.connected() == []


async def test_above_the_limit_of_away_players_a_session_ends_at_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "MAX_AWAY", 0)
    lost(arrived(server))
    assert server.connected() == []


@pytest.mark.parametrize("away", [False, True])
async def test_a_removed_player_is_told_so_when_it_returns(server: Server, *, away: bool) -> None:
    page = arrived(server)
    if away:
        lost(page)
    server.made.hub.end_session("session-1")
    assert server.connected() == []
    server.settle()
    assert server.made.hub.connections(Role.PLAYER) == []
    for query in ("received=1", "fresh=1"):
        assert server.dial(f"resume={page.token}&{query}").socket.closes == [(4201, "removed by the host")]


async def test_the_remembered_ends_are_limited(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returns_module, "MAX_REMEMBERED", 1)
    tokens = []
    for session_id in ("session-1", "session-2"):
        tokens.append(arrived(server, session_id).token)
        server.made.hub.end_session(session_id)
        server.settle()
    codes = [server.dial(f"resume={token}&fresh=1").socket.closes[0][0] for token in tokens]
    assert codes == [4007, 4201]


async def test_a_streamer_that_leaves_ends_the_session_of_its_away_player(server: Server) -> None:
    page = arrived(server)
    lost(page)
    server.streamer.leave()
    assert server.made.hub.connections(Role.PLAYER) == []
    page.resume()
    deliver(page)
    assert page.over == 4007
    assert server.series("pixelfleet_sessions_expired_total", cause="lost") == 0


async def test_a_page_returns_during_a_drain_and_hears_of_it(server: Server) -> None:
    page = arrived(server)
    lost(page)
    server.drain.begin()
    page.resume()
    deliver(page)
    assert page.received[-1]["type"] == "sigterm"
    page.negotiate()
    deliver(page)
    assert [each["type"] for each in page.received] == ["config", "sigterm"]
    lost(page)
    server.made.hub.close_all(close_codes.RESTARTING)
    assert server.made.hub.connections(Role.PLAYER) == []


async def test_an_operator_sees_an_away_player(server: Server) -> None:
    page = arrived(server)
    (player,) = server.made.hub.switchboard.players()
    assert not server.made.hub.switchboard.is_away(player.peer.key)
    lost(page)
    assert server.made.hub.switchboard.is_away(player.peer.key)
    assert server.made.hub.count(Role.PLAYER) == 1


async def test_messages_to_an_away_player_take_bounded_memory(server: Server) -> None:
    lost(arrived(server))
    data: dict[str, Any] = {**CANDIDATE, "candidate": "x" * 100_000}
    for _ in range(50):
        server.streamer.send("iceCandidate", candidate=data, playerId=player_of(server))
    (line,) = [player.line for player in server.returns._players.values()]
    assert sum(map(len, line._kept)) <= 512 * 1024


async def test_a_player_that_is_away_is_not_pinged(server: Server) -> None:
    page = arrived(server)
    player, link = server.player_of(page), page.link
    assert link is not None
    player.ping()
    lost(page)
    player.ping()
    assert link.socket.pings == 1


async def test_new_negotiations_without_an_answer_do_not_keep_the_slot_without_media() -> None:
    server = make_server(Rules(first_media_seconds=60))
    page = arrived(server)
    page.negotiate()
    deliver(page)
    (before,) = server.made.hub.switchboard.players()
    page.negotiate()
    deliver(page)
    (after,) = server.made.hub.switchboard.players()
    assert after is not before
    assert (after.slot_since, before.negotiated) == (before.slot_since, False)


async def test_a_new_negotiation_of_a_player_with_media_has_its_own_time_to_the_first_media() -> None:
    server = make_server(Rules(first_media_seconds=60))
    page = arrived(server)
    (before,) = server.made.hub.switchboard.players()
    before.negotiated = True
    page.negotiate()
    (after,) = server.made.hub.switchboard.players()
    assert after.slot_since is not None
    assert before.slot_since is not None
    assert after.slot_since > before.slot_since


async def test_two_players_that_were_admitted_to_one_session_at_once_both_end(server: Server) -> None:
    first, second = Page(server, "session-1"), Page(server, "session-1")
    for page in (first, second):
        page.connect()  # both were accepted before one of them was connected
        page.read()
    lost(first, 1000)
    assert len(server.made.hub.switchboard.players()) == 1
    lost(second)
    second.resume()
    lost(second, 1000)
    assert server.made.hub.switchboard.players() == []
