"""A player waits, is connected to its streamer, and leaves; its streamer may fail at each step."""

from urllib.parse import parse_qs, urlsplit

import pytest

from matchmaker import messages
from matchmaker.notices import StoreAvailable, StoreUnavailable
from matchmaker.queue.positions import UNSERVED, QueuePosition
from matchmaker.settings import Settings
from pixelfleet.fleet.bounds import MAX_UNKNOWN_APPS
from pixelfleet.fleet.model import LeaseState
from pixelfleet.fleet.tokens import verify
from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.protocol import close_codes
from tests.unit.matchmaker.replicas import KEY, Client, Replica


async def dialled(replica: Replica, *, legacy: bool = False) -> Client:
    """Return a player whose streamer is being dialled."""
    await replica.store.streamer(legacy=legacy)
    client = replica.player()
    await replica.settle()
    return client


async def test_a_player_waits_and_its_streamer_is_dialled_with_a_session_token(replica: Replica) -> None:
    client = replica.player(passed_on={"OfferToReceive": "true"})
    await replica.settle()
    assert client.details == [messages.WAITING]
    await replica.store.streamer()
    await replica.driver.renew()
    await replica.settle()
    assert client.messages[-1] == {
        "type": "matchmaker",
        "queued": False,
        "matched": True,
        "dialect": "5.5",
        "detail": {"id": "s1/cam", "address": "10.0.0.1", "port": 4000},
    }
    (dial,) = replica.dials
    query = parse_qs(urlsplit(dial.url).query)
    assert dial.url.startswith("ws://10.0.0.1:4000/?")
    assert (query["player"], query["OfferToReceive"]) == ([client.session], ["true"])
    token = verify(query["session"][0], KEY, "s1")
    assert (token.session_id, token.endpoint_id, token.role) == (client.session, "cam", "player")
    dial.open()
    await replica.settle()
    assert not replica.broker.owns(client.session)
    metrics = replica.players.metrics.registries.all
    assert metrics.get_sample_value("matchmaker_wait_seconds_count", {"app": "default"}) == 1
    assert metrics.get_sample_value("matchmaker_matches_total", {"app": "default"}) == 1
    assert metrics.get_sample_value("matchmaker_dial_seconds_count") == 1
    assert metrics.get_sample_value("matchmaker_dials_total", {"outcome": "ok"}) == 1


async def test_a_legacy_server_gets_no_token_and_no_pings(replica: Replica) -> None:
    client = await dialled(replica, legacy=True)
    (dial,) = replica.dials
    assert "session" not in parse_qs(urlsplit(dial.url).query)
    dial.open()
    await replica.settle()
    client.send(b'{"type":"ping","time":7}')
    assert client.messages[-1] == {"type": "pong", "time": 7}
    client.send(b'{"type":"offer","sdp":"no ping"}')
    assert dial.socket.sent == [b'{"type":"offer","sdp":"no ping"}']


async def test_pings_of_a_waiting_player_are_answered_and_not_buffered(replica: Replica) -> None:
    client = replica.player()
    client.send(b'{"type":"ping","time":1}')
    client.send(b"first")
    client.send(b"second, with the word ping")
    assert client.messages[-1] == {"type": "pong", "time": 1}
    await replica.store.streamer()
    await replica.settle()
    replica.dials[0].open()
    client.send(b'{"type":"ping","time":2}')
    assert replica.dials[0].socket.sent == [b"first", b"second, with the word ping", b'{"type":"ping","time":2}']


@pytest.mark.parametrize("status", [0, 503, 409])
async def test_a_failed_dial_is_given_back_and_counts_unless_the_slot_is_occupied(
    replica: Replica, status: int
) -> None:
    client = await dialled(replica)
    replica.dials[0].fail(status)
    await replica.settle()
    (view,) = (await replica.store.inner.snapshot()).streamers
    assert view.failures == (0 if status == 409 else 1)
    if status == 409:
        assert len(replica.dials) == 2
    else:
        assert client.details[-1] == messages.STREAMER_UNREACHABLE
        assert replica.broker.waiting
    assert client.socket.is_open


async def test_a_close_right_after_the_dial_makes_the_player_wait_again(replica: Replica) -> None:
    client = await dialled(replica)
    client.send(b"hello")
    dial = replica.dials[0]
    dial.open()
    dial.handler.closed(4006, "the streamer is taken")  # before the task of the dial continues
    await replica.settle()
    assert client.socket.is_open
    assert replica.broker.waiting
    await replica.store.streamer(2)
    await replica.driver.renew()
    await replica.settle()
    replica.dials[-1].open()
    assert replica.dials[-1].socket.sent == [b"hello"]


async def test_a_legacy_server_that_closes_before_its_config_is_a_failed_dial(replica: Replica) -> None:
    client = await dialled(replica, legacy=True)
    dial = replica.dials[0]
    dial.open()
    await replica.settle()
    dial.handler.closed(1013, "try again later")
    await replica.settle()
    assert client.details[-1] == messages.STREAMER_UNREACHABLE
    assert client.socket.is_open
    (view,) = (await replica.store.inner.snapshot()).streamers
    assert view.failures == 1


async def test_the_close_code_of_the_streamer_is_passed_on(replica: Replica) -> None:
    client = await dialled(replica, legacy=True)
    dial = replica.dials[0]
    dial.open()
    await replica.settle()
    dial.handler.message(b'{"type":"config"}')
    dial.handler.closed(4000, "the streamer left")
    assert client.socket.closes == [(4000, "the streamer left")]
    client.leave()
    await replica.settle()
    assert not (await replica.store.inner.snapshot()).leases


async def test_a_legacy_server_that_closes_its_player_before_an_answer_is_a_failed_one(replica: Replica) -> None:
    client = await dialled(replica, legacy=True)
    dial = replica.dials[0]
    dial.open()
    await replica.settle()
    dial.handler.message(b'{"type":"config"}')
    dial.handler.message(b'{"type":"offer","sdp":"x"}')
    client.send(b'{"type":"layerPreference","spatialLayer":0}')
    assert dial.socket.sent == []
    await replica.store.streamer(2, legacy=True)
    dial.handler.closed(1008, "Unsupported message type")
    await replica.settle()
    assert client.socket.closes == [(4001, close_codes.STREAM_UNAVAILABLE.reason)]
    assert len(replica.broker) == 0
    assert replica.dials == [dial], "no other server is dialled for a socket that closes"
    client.leave()
    await replica.settle()
    snapshot = await replica.store.inner.snapshot()
    assert (snapshot.leases, snapshot.queue) == ((), ())
    assert [view.failures for view in snapshot.streamers] == [1, 0]
    assert replica.players.metrics.registries.all.get_sample_value("matchmaker_dials_total", {"outcome": "failed"}) == 1


@pytest.mark.parametrize("code", [1001, 1008])
async def test_a_rejection_by_a_legacy_server_is_not_passed_on(replica: Replica, code: int) -> None:
    client = await dialled(replica, legacy=True)
    dial = replica.dials[0]
    dial.open()
    await replica.settle()
    dial.handler.message(b'{"type":"config"}')
    client.send(b'{"type":"answer","sdp":"x"}')
    dial.handler.closed(code, "Broken")
    assert client.socket.closes == [(4001, close_codes.STREAM_UNAVAILABLE.reason)]
    assert (await replica.store.inner.snapshot()).streamers[0].failures == 0


async def test_a_slot_is_free_once_the_streamers_side_is_closed(replica: Replica) -> None:
    client = await dialled(replica, legacy=True)
    dial = replica.dials[0]
    dial.open()
    await replica.settle()
    client.leave()
    await replica.settle()
    assert len(dial.socket.closes) == 1
    (lease,) = (await replica.store.inner.snapshot()).leases
    assert lease.state is LeaseState.CLAIMED
    dial.handler.closed(1000, "")
    await replica.settle()
    assert not (await replica.store.inner.snapshot()).leases


async def test_a_player_that_leaves_at_once_leaves_no_lease(replica: Replica) -> None:
    await replica.store.streamer(legacy=True)
    replica.player().leave()
    await replica.settle()
    assert len(replica.players) == len(replica.broker) == 0
    assert not (await replica.store.inner.snapshot()).leases


async def test_a_player_that_leaves_during_the_dial_leaves_no_lease(replica: Replica) -> None:
    client = await dialled(replica)
    client.leave()
    await replica.settle()
    assert len(replica.players) == len(replica.broker) == 0
    assert not (await replica.store.inner.snapshot()).leases


async def test_a_lease_is_given_back_without_recent_contact_with_the_store(replica: Replica) -> None:
    replica.driver.now += 60.0
    client = await dialled(replica)
    assert replica.dials == []
    assert replica.store.calls_of("give_back")
    assert "matched" not in str(client.details)


async def test_an_outage_of_the_store_and_its_end_are_sent_to_the_player(replica: Replica) -> None:
    client = replica.player()
    await replica.settle()
    client.player.moved(QueuePosition(3, 60))
    client.player.moved(QueuePosition(3, 60))
    client.player.notified(StoreUnavailable(client.session))
    client.player.notified(StoreAvailable(client.session))
    position = {"position": 3, "ahead": 2, "etaSeconds": 60}
    queued = {"type": "matchmaker", "queued": True, "matched": False}
    assert client.messages[1:] == [
        {**queued, "detail": messages.WAITING, **position},
        {**queued, "detail": messages.STORE_UNAVAILABLE},
        {**queued, "detail": messages.WAITING, **position},
    ]


async def test_an_unserved_player_gets_no_position(replica: Replica) -> None:
    client = replica.player()
    await replica.settle()
    client.player.moved(UNSERVED)
    client.player.moved(UNSERVED)
    client.player.notified(StoreAvailable(client.session))
    queued = {"type": "matchmaker", "queued": True, "matched": False}
    assert client.messages[1:] == [{**queued, "detail": messages.NOT_SERVED, "unserved": True}] * 2


async def test_a_player_that_requests_an_ended_session_is_refused(replica: Replica) -> None:
    client, typo = replica.player(wants="0" * 32), replica.player(wants="nope")
    await replica.settle()
    assert client.messages[-1] == {"type": "subscribeFailed", "message": "no such session"}
    assert client.socket.closes == [(4206, close_codes.NOT_FOUND.reason)]
    assert typo.socket.closes == []


@pytest.mark.parametrize(
    ("method", "code", "kind"),
    [
        ("expire", close_codes.QUEUE_TIMEOUT, "matchmaker"),
        ("ended", close_codes.KICKED, "subscribeFailed"),
    ],
)
async def test_the_last_message_gives_the_reason(
    replica: Replica, method: str, code: close_codes.CloseCode, kind: str
) -> None:
    client = replica.player()
    getattr(client.player, method)()
    assert client.messages[-1]["type"] == kind
    assert code.reason in (client.messages[-1].get("detail"), client.messages[-1].get("message"))
    assert client.socket.closes == [(code.code, code.reason)]


async def test_a_refused_ticket_closes_the_player_with_the_reason(replica: Replica) -> None:
    replica.store.refuse_joins = True
    client = replica.player()
    await replica.settle()
    assert client.messages[-1] == {"type": "subscribeFailed", "message": "too many different choices"}
    assert client.socket.closes == [(close_codes.FULL.code, close_codes.FULL.reason)]


async def test_a_player_of_an_unknown_application_is_refused_when_too_many_wait(replica: Replica) -> None:
    await replica.store.inner.set_policies(Settings(apps=["declared"]).app_policies)
    for number in range(MAX_UNKNOWN_APPS):
        replica.player(app=f"invented-{number}")
    await replica.settle()
    client, declared = replica.player(app="one-more"), replica.player(app="declared")
    await replica.settle()
    assert client.messages[-1] == {"type": "subscribeFailed", "message": "no such application"}
    assert client.socket.closes == [(4206, close_codes.NOT_FOUND.reason)]
    assert declared.socket.closes == []


async def test_a_waiting_player_may_send_8_kib_and_one_that_is_dialled_512(replica: Replica) -> None:
    waits, served = replica.player(app="nowhere"), await dialled(replica)
    for client in (waits, served):
        client.player.message(bytes(8 * 1024))
        assert client.socket.is_open
        client.player.message(b"x")
    assert waits.socket.closes == [(4104, close_codes.RATE_LIMITED.reason)]
    assert served.socket.is_open


async def test_a_fragmented_message_of_a_waiting_player_has_its_limit(replica: Replica) -> None:
    waits, served = replica.player(app="nowhere"), await dialled(replica)
    assert (waits.socket.fragments_bytes, served.socket.fragments_bytes) == (8 * 1024, 512 * 1024)


async def test_the_messages_of_all_waiting_players_are_bounded_in_total(replica: Replica) -> None:
    replica.players.early_budget = EarlyBudget(100_000)
    clients = [replica.player() for _ in range(200)]
    for client in clients:
        client.player.message(bytes(8_000))
    stored = sum(client.player.relay.early_bytes for client in clients)
    assert stored <= 100_000 + 200 * 1024
    late = replica.player()
    late.player.message(b'{"type":"listStreamers"}')
    assert late.socket.is_open
