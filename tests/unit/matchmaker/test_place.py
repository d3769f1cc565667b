"""Waiting players whose pages can return to their places in the queue."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec import structs

from matchmaker import messages
from matchmaker.place import Place
from pixelfleet.fleet import resume, waiting
from pixelfleet.fleet.model import LeaseState, ServerReport, Ticket
from pixelfleet.fleet.resume import resume_key
from pixelfleet.fleet.waiting import waiting_key
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.endings import Ending, ending_of
from tests.unit.matchmaker.replicas import KEY, Client, Replica
from tests.unit.pixelfleet.net.sockets import FakeSocket

WAITING_KEY = waiting_key(KEY)


def page(replica: Replica, session: str = "", *, returned: bool = False) -> Client:
    """Connect a page that can return; with `returned` it does."""
    fields: dict[str, Any] = {"keeps_place": 30, "passed_on": {"resume": "1"}}
    place = Place(WAITING_KEY, returned=returned)
    return replica.player(**fields, place=place, **({"session_id": session} if session else {}))


def tokens(client: Client) -> list[str]:
    return [message["token"] for message in client.messages if message["type"] == "session"]


def lose(client: Client, code: int = close_codes.ABNORMAL) -> None:
    client.socket.is_open = False
    client.player.closed(code, "")


async def test_a_waiting_page_gets_its_token_once(replica: Replica) -> None:
    client = page(replica)
    await replica.settle()
    (text,) = tokens(client)
    token = waiting.verify(text, WAITING_KEY)
    assert (token.ticket.session_id, token.passed_on) == (client.session, {"resume": "1"})
    assert client.messages[-1]["resumeSeconds"] == 30
    await replica.store.streamer()
    await replica.driver.renew()
    await replica.settle()
    replica.dials[-1].fail()
    await replica.settle()
    assert client.details[-1] == messages.STREAMER_UNREACHABLE
    assert len(tokens(client)) == 1


async def test_a_page_that_is_matched_at_once_gets_its_token_only_if_it_waits_after_all(replica: Replica) -> None:
    await replica.store.streamer()
    client = page(replica)
    await replica.settle()
    assert tokens(client) == []
    replica.dials[-1].fail()
    await replica.settle()
    assert len(tokens(client)) == 1


async def test_a_stock_page_gets_no_token_and_keeps_no_place(replica: Replica) -> None:
    client = replica.player()
    await replica.settle()
    assert tokens(client) == []
    lose(client)
    await replica.settle()
    assert replica.store.calls_of("leave")[-1][2] is False


@pytest.mark.parametrize(
    ("code", "kept"),
    [(1006, True), (1001, True), (4002, True), (4301, True), (4005, True), (1000, False), (4103, False), (4201, False)],
)
async def test_the_place_of_a_page_is_kept_unless_it_has_left(replica: Replica, code: int, kept: bool) -> None:
    client = page(replica)
    await replica.settle()
    lose(client, code)
    await replica.settle()
    again = page(replica, client.session, returned=True)
    await replica.settle()
    assert (await replica.driver.queue() == [client.session]) is kept
    assert again.socket.closes == ([] if kept else [(4007, "the session cannot be resumed")])
    assert not any(message["type"] == "subscribeFailed" for message in again.messages)


async def test_a_page_that_returns_before_its_former_connection_has_ended_takes_its_place(replica: Replica) -> None:
    former = page(replica)
    other = page(replica)
    await replica.settle()
    again = page(replica, former.session, returned=True)
    assert former.socket.closes == [(4208, "the session goes on over another connection")]
    await replica.settle()
    lose(former, 4208)
    await replica.settle()
    assert replica.players.find(former.session) is again.player
    assert await replica.driver.queue() == [former.session, other.session]
    await replica.store.streamer()
    await replica.driver.renew()
    await replica.settle()
    assert again.messages[-1]["matched"] is True


async def test_a_page_that_returned_through_another_replica_is_closed_here(replica: Replica) -> None:
    client = page(replica)
    await replica.settle()
    moved = Ticket(session_id=client.session, replica_id="other", app="default")
    await replica.store.inner.join(moved, returns=True)
    await replica.driver.renew()
    await replica.settle()
    assert client.socket.closes == [(4208, "the session goes on over another connection")]
    lose(client, 4208)
    await replica.settle()
    assert await replica.driver.queue() == [client.session]


async def test_a_drained_replica_keeps_the_places_of_its_waiting_pages(replica: Replica) -> None:
    client = page(replica)
    await replica.settle()
    await replica.broker.leave_queue()
    assert replica.store.calls_of("leave")[-1] == (client.session, "here", True, {client.session: 4101})


async def arrived(replica: Replica) -> str:
    """Let a page be lost right after its server has reported it; return its session."""
    report = await replica.store.streamer()
    client = page(replica)
    await replica.settle()
    replica.dials[-1].open()
    await replica.settle()
    held = structs.replace(report, sessions=(client.session,))
    await replica.store.inner.report(ServerReport(server_id="s1", sequence=2, streamers=(held,)))
    lose(client)
    await replica.settle()
    assert (await replica.store.inner.snapshot()).leases[0].state is LeaseState.HELD
    return client.session


async def test_a_page_that_was_lost_before_it_got_its_sessions_token_negotiates_again(replica: Replica) -> None:
    session = await arrived(replica)
    again = page(replica, session, returned=True)
    await replica.settle()
    query = parse_qs(urlsplit(replica.dials[-1].url).query)
    token = resume.verify(query["resume"][0], resume_key(KEY))
    assert (token.session_id, token.server_id, query["fresh"]) == (session, "s1", ["1"])
    replica.dials[-1].open()
    await replica.settle()
    replica.dials[-1].handler.closed(4007, "the session cannot be resumed")
    assert again.socket.closes == [(4007, "the session cannot be resumed")]


async def test_the_former_connection_of_a_page_that_plays_does_not_end_the_session(replica: Replica) -> None:
    report = await replica.store.streamer()
    former = page(replica)
    await replica.settle()
    upstream = replica.dials[-1]
    upstream.open()
    await replica.settle()
    held = structs.replace(report, sessions=(former.session,))
    await replica.store.inner.report(ServerReport(server_id="s1", sequence=2, streamers=(held,)))
    page(replica, former.session, returned=True)
    lose(former, close_codes.CONTINUED_ELSEWHERE.code)
    await replica.settle()
    ((code, _),) = upstream.socket.closes
    assert ending_of(code) is Ending.LOST
    leaves = len(replica.store.calls_of("leave"))
    upstream.handler.closed(code, "")
    await replica.settle()
    assert replica.broker.sessions.find(former.session) is not None
    assert len(replica.store.calls_of("leave")) == leaves


async def test_a_page_whose_server_cannot_be_reached_again_is_closed(replica: Replica) -> None:
    session = await arrived(replica)
    again = page(replica, session, returned=True)
    await replica.settle()
    dials = len(replica.dials)
    replica.dials[-1].fail()
    await replica.settle()
    assert again.socket.closes[0][0] == close_codes.STREAM_UNAVAILABLE.code
    assert len(replica.dials) == dials


# -- admission --------------------------------------------------------------------------------------


def opened(replica: Replica, path: str) -> Client:
    """Admit a page, and open its websocket."""
    decision = replica.upgrade(path)
    assert decision.status == 101, decision
    socket = FakeSocket()
    handler = decision.listener._opened(socket.real)
    return Client(replica, socket, handler)


async def test_a_page_that_can_resume_may_return_through_admission(replica: Replica) -> None:
    client = opened(replica, "/?app=game&resume=1&OfferToReceive=true")
    await replica.settle()
    assert client.player.passed_on == {"OfferToReceive": "true", "resume": "1"}
    (text,) = tokens(client)
    lose(client)
    await replica.settle()
    again = opened(replica, f"/?resume={text}")
    await replica.settle()
    assert again.player.ticket == client.player.ticket
    assert again.player.passed_on == client.player.passed_on
    assert await replica.driver.queue() == [client.session]


async def test_other_values_of_the_parameter_are_not_passed_on(replica: Replica) -> None:
    assert opened(replica, "/?resume=").player.passed_on == {}
    assert opened(replica, "/?subscribe=1").player.passed_on == {}, "only of a page that can resume"


async def test_a_forged_token_is_refused_after_the_websocket_is_open(replica: Replica) -> None:
    client = opened(replica, "/?resume=forged")
    assert client.socket.closes == [(4007, "the session cannot be resumed")]
    assert len(replica.players) == 1
    client.leave()
    assert len(replica.players) == 0
    assert not replica.broker.has_pending_work


# -- pages without tokens ---------------------------------------------------------------------------


async def kept_session(replica: Replica) -> str:
    """Let a page of a browser with a cookie be away from its streamer; return its session."""
    report = await replica.store.streamer()
    client = replica.player(by_cookie=True, person="ada0")
    await replica.settle()
    assert parse_qs(urlsplit(replica.dials[-1].url).query)["kept"] == ["1"]
    replica.dials[-1].open()
    await replica.settle()
    sessions = (client.session,)
    for sequence, away in ((2, ()), (3, sessions)):
        held = structs.replace(report, sessions=sessions, away=away)
        await replica.store.inner.report(ServerReport(server_id="s1", sequence=sequence, streamers=(held,)))
    lose(client, 1001)
    await replica.settle()
    return client.session


async def test_a_cookie_brings_a_page_back_to_its_session(replica: Replica) -> None:
    session = await kept_session(replica)
    again = replica.player(by_cookie=True, person="ada0")
    await replica.settle()
    query = parse_qs(urlsplit(replica.dials[-1].url).query)
    assert resume.verify(query["resume"][0], resume_key(KEY)).session_id == session
    assert (query["fresh"], query["kept"]) == (["1"], ["1"])
    replica.dials[-1].open()
    await replica.settle()
    again.leave()
    await replica.settle()
    assert not replica.broker.has_pending_work
    assert [lease.session_id for lease in (await replica.store.inner.snapshot()).leases] == [session]


@pytest.mark.parametrize("refused", [True, False])
async def test_a_page_that_cannot_be_brought_back_joins_anew_next_time(replica: Replica, *, refused: bool) -> None:
    await kept_session(replica)
    again = replica.player(by_cookie=True, person="ada0")
    await replica.settle()
    if refused:
        replica.dials[-1].open()
        await replica.settle()
        replica.dials[-1].handler.closed(4007, "the session cannot be resumed")
    else:
        replica.dials[-1].fail()
    await replica.settle()
    assert again.socket.closes[0][0] == (4007 if refused else 4001)
    again.leave()
    later = replica.player(by_cookie=True, person="ada0")
    await replica.settle()
    assert later.details == [messages.WAITING]


async def test_only_a_page_with_a_cookie_and_without_tokens_is_brought_back(replica: Replica) -> None:
    cookie = {"X-Pixelfleet-Player": "c" * 22}
    for path, headers, expected in (("/", cookie, True), ("/?resume=1", cookie, False), ("/", {}, False)):
        decision = replica.upgrade(path, **headers)
        handler = decision.listener._opened(FakeSocket().real)
        assert handler.ticket.by_cookie is expected


async def test_a_page_that_returns_before_its_departure_was_sent_keeps_its_place(replica: Replica) -> None:
    client = page(replica)
    await replica.settle()
    lose(client)
    page(replica, client.session, returned=True)
    await replica.settle()
    assert await replica.driver.queue() == [client.session]


async def test_a_departure_that_failed_is_not_repeated_after_the_page_has_returned(replica: Replica) -> None:
    client = page(replica)
    await replica.settle()
    replica.store.unavailable = True
    lose(client)
    await replica.broker.departures.send()
    replica.store.unavailable = False
    page(replica, client.session, returned=True)
    await replica.settle()
    await replica.broker.departures.resend()
    assert await replica.driver.queue() == [client.session]
