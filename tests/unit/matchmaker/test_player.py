"""A player's way: it waits, is dialled, plays, and leaves, and its streamer may fail it at each step."""

from urllib.parse import parse_qs, urlsplit

import pytest

from matchmaker import messages
from matchmaker.queue.positions import QueuePosition
from pixelfleet.fleet.model import LeaseState
from pixelfleet.fleet.tokens import verify
from pixelfleet.protocol import close_codes
from tests.unit.matchmaker.hall import KEY, Hall, Seat


async def dialled(hall: Hall, *, legacy: bool = False) -> Seat:
    """Return a player that is being dialled."""
    await hall.store.streamer(legacy=legacy)
    seat = hall.player()
    await hall.settle()
    return seat


async def test_a_player_waits_and_is_dialled_with_a_ticket_for_its_streamer(hall: Hall) -> None:
    seat = hall.player(passed_on={"OfferToReceive": "true"})
    await hall.settle()
    assert seat.details == [messages.WAITING]
    await hall.store.streamer()
    await hall.turning.turn()
    await hall.settle()
    assert seat.headers[-1] == {
        "type": "matchmaker",
        "queued": False,
        "matched": True,
        "dialect": "5.5",
        "detail": {"id": "s1/cam", "address": "10.0.0.1", "port": 4000},
    }
    (dial,) = hall.dials
    query = parse_qs(urlsplit(dial.url).query)
    assert dial.url.startswith("ws://10.0.0.1:4000/?")
    assert (query["player"], query["OfferToReceive"]) == ([seat.session], ["true"])
    token = verify(query["session"][0], KEY, "s1")
    assert (token.session_id, token.endpoint_id, token.role) == (seat.session, "cam", "player")
    dial.open()
    await hall.settle()
    assert not hall.broker.knows(seat.session)
    numbers = hall.players.metrics.registries.all
    assert numbers.get_sample_value("matchmaker_wait_seconds_count", {"app": "default"}) == 1
    assert numbers.get_sample_value("matchmaker_matches_total", {"app": "default"}) == 1
    assert numbers.get_sample_value("matchmaker_dial_seconds_count") == 1
    assert numbers.get_sample_value("matchmaker_dials_total", {"outcome": "ok"}) == 1


async def test_a_stock_server_gets_no_ticket_and_no_pings(hall: Hall) -> None:
    seat = await dialled(hall, legacy=True)
    (dial,) = hall.dials
    assert "session" not in parse_qs(urlsplit(dial.url).query)
    dial.open()
    await hall.settle()
    seat.say(b'{"type":"ping","time":7}')
    assert seat.headers[-1] == {"type": "pong", "time": 7}
    seat.say(b'{"type":"offer","sdp":"no ping"}')
    assert dial.socket.sent == [b'{"type":"offer","sdp":"no ping"}']


async def test_pings_are_answered_while_the_player_waits_and_never_kept(hall: Hall) -> None:
    seat = hall.player()
    seat.say(b'{"type":"ping","time":1}')
    seat.say(b"first")
    seat.say(b"second, which says ping")
    assert seat.headers[-1] == {"type": "pong", "time": 1}
    await hall.store.streamer()
    await hall.settle()
    hall.dials[0].open()
    seat.say(b'{"type":"ping","time":2}')
    assert hall.dials[0].socket.sent == [b"first", b"second, which says ping", b'{"type":"ping","time":2}']


@pytest.mark.parametrize("status", [0, 503, 409])
async def test_a_failed_dial_is_given_back_and_only_a_taken_slot_is_no_fault(hall: Hall, status: int) -> None:
    seat = await dialled(hall)
    hall.dials[0].fail(status)
    await hall.settle()
    (view,) = (await hall.store.inner.snapshot()).streamers
    assert view.failures == (0 if status == 409 else 1)
    if status == 409:
        assert len(hall.dials) == 2
    else:
        assert seat.details[-1] == messages.STREAMER_LOST
        assert hall.broker.waiting
    assert seat.socket.is_open


async def test_a_server_that_closes_as_soon_as_it_opens_does_not_strand_the_player(hall: Hall) -> None:
    seat = await dialled(hall)
    seat.say(b"hello")
    dial = hall.dials[0]
    dial.open()
    dial.handler.closed(4006, "the streamer is taken")  # before the dial's own task goes on
    await hall.settle()
    assert seat.socket.is_open
    assert hall.broker.waiting
    await hall.store.streamer(2)
    await hall.turning.turn()
    await hall.settle()
    hall.dials[-1].open()
    assert hall.dials[-1].socket.sent == [b"hello"]


async def test_a_stock_server_that_closes_before_its_config_is_a_failed_dial(hall: Hall) -> None:
    seat = await dialled(hall, legacy=True)
    dial = hall.dials[0]
    dial.open()
    await hall.settle()
    dial.handler.closed(1013, "try again later")
    await hall.settle()
    assert seat.details[-1] == messages.STREAMER_LOST
    assert seat.socket.is_open
    (view,) = (await hall.store.inner.snapshot()).streamers
    assert view.failures == 1


async def test_a_streamer_lost_in_mid_play_closes_the_player_with_its_code(hall: Hall) -> None:
    seat = await dialled(hall, legacy=True)
    dial = hall.dials[0]
    dial.open()
    await hall.settle()
    dial.handler.message(b'{"type":"config"}')
    dial.handler.closed(4000, "the streamer left")
    assert seat.socket.closes == [(4000, "the streamer left")]
    seat.leave()
    await hall.settle()
    assert not (await hall.store.inner.snapshot()).leases


async def test_a_slot_is_free_when_the_streamers_side_is_closed_and_not_before(hall: Hall) -> None:
    seat = await dialled(hall, legacy=True)
    dial = hall.dials[0]
    dial.open()
    await hall.settle()
    seat.leave()
    await hall.settle()
    assert len(dial.socket.closes) == 1
    (lease,) = (await hall.store.inner.snapshot()).leases
    assert lease.state is LeaseState.CLAIMED
    dial.handler.closed(1000, "")
    await hall.settle()
    assert not (await hall.store.inner.snapshot()).leases


async def test_a_player_who_leaves_as_soon_as_it_comes_takes_nothing_along(hall: Hall) -> None:
    await hall.store.streamer(legacy=True)
    hall.player().leave()
    await hall.settle()
    assert len(hall.players) == len(hall.broker) == 0
    assert not (await hall.store.inner.snapshot()).leases


async def test_a_player_who_leaves_while_it_is_dialled_takes_nothing_along(hall: Hall) -> None:
    seat = await dialled(hall)
    seat.leave()
    await hall.settle()
    assert len(hall.players) == len(hall.broker) == 0
    assert not (await hall.store.inner.snapshot()).leases


async def test_a_lease_is_given_back_when_the_store_has_not_been_heard_of(hall: Hall) -> None:
    hall.turning.now += 60.0
    seat = await dialled(hall)
    assert hall.dials == []
    assert hall.store.named("give_back")
    assert "matched" not in str(seat.details)


async def test_the_loss_of_the_store_and_its_return_are_told_with_the_place(hall: Hall) -> None:
    seat = hall.player()
    await hall.settle()
    seat.player.moved(QueuePosition(3, 60))
    seat.player.moved(QueuePosition(3, 60))
    seat.player.store_lost()
    seat.player.store_found()
    position = {"position": 3, "ahead": 2, "etaSeconds": 60}
    queued = {"type": "matchmaker", "queued": True, "matched": False}
    assert seat.headers[1:] == [
        {**queued, "detail": messages.WAITING, **position},
        {**queued, "detail": messages.STORE_LOST},
        {**queued, "detail": messages.WAITING, **position},
    ]


@pytest.mark.parametrize(
    ("what", "code", "kind"),
    [
        ("expire", close_codes.QUEUE_TIMEOUT, "matchmaker"),
        ("ended", close_codes.SESSION_OVER, "subscribeFailed"),
    ],
)
async def test_the_last_message_says_why(hall: Hall, what: str, code: close_codes.CloseCode, kind: str) -> None:
    seat = hall.player()
    getattr(seat.player, what)()
    assert seat.headers[-1]["type"] == kind
    assert code.reason in (seat.headers[-1].get("detail"), seat.headers[-1].get("message"))
    assert seat.socket.closes == [(code.code, code.reason)]


async def test_a_choice_too_many_is_refused_for_good_in_words(hall: Hall) -> None:
    hall.store.refuse_joins = True
    seat = hall.player()
    await hall.settle()
    assert seat.headers[-1] == {"type": "subscribeFailed", "message": "too many different choices"}
    assert seat.socket.closes == [(close_codes.FULL.code, close_codes.FULL.reason)]
