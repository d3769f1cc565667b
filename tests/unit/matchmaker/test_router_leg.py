"""A matched player is handed over to its router; the match is kept, given back or relayed by the router's answer."""

from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from matchmaker import messages, player, router_leg
from matchmaker.router_leg import HOLD, RELAY
from pixelfleet.fleet import handover, tokens
from pixelfleet.fleet.handover import CLAIM_HEADER, Arrived, ClaimWriter, Destination, Failed, Handover, handover_key
from pixelfleet.net.refusal import Refusal
from pixelfleet.protocol import close_codes
from tests.unit.matchmaker.replicas import KEY, Client, Replica
from tests.unit.pixelfleet.net.sockets import FakeSocket


async def matched(replica: Replica, *, legacy: bool = False) -> Client:
    """Return a player behind a router, with a streamer."""
    await replica.store.streamer(legacy=legacy)
    client = replica.player(hands_over=True)
    await replica.settle()
    return client


async def answer(replica: Replica, client: Client, answer: handover.Answer) -> None:
    """Have the router answer."""
    assert client.socket.on_control is not None
    client.socket.on_control(handover.encode(answer))
    await replica.settle()


def destination(data: bytes) -> Destination:
    order = handover.read_order(data)
    assert isinstance(order, Handover)
    return handover.verify(order.destination, handover_key(KEY))


async def test_a_player_is_handed_over_with_its_session_token(replica: Replica) -> None:
    client = await matched(replica)
    hold, order = client.socket.controls
    assert hold == HOLD
    found = destination(order)
    query = parse_qs(urlsplit(found.url).query)
    assert found.url.startswith("ws://10.0.0.1:4000/?")
    assert found.session == client.session
    assert tokens.verify(query["session"][0], KEY, "s1").session_id == client.session
    assert replica.dials == []
    assert client.messages[-1]["matched"] is True


async def test_nothing_of_a_player_that_has_arrived_is_kept(replica: Replica) -> None:
    client = await matched(replica)
    assert client.socket.on_control is not None
    client.socket.on_control(handover.encode(Arrived(0.25)))
    with capture_logs() as logs:
        client.leave()  # in the same turn of the loop, as when both frames arrive together
    await replica.settle()
    assert [line["event"] for line in logs] == ["player handed over"]
    assert (len(replica.players), len(replica.broker), len(replica.broker.departures)) == (0, 0, 0)
    assert replica.broker.sessions.find(client.session) is None
    snapshot = await replica.store.inner.snapshot()
    assert [lease.session_id for lease in snapshot.leases] == [client.session], "until its server reports it"
    metrics = replica.players.metrics.registries.all
    assert metrics.get_sample_value("matchmaker_dial_seconds_sum") == 0.25
    assert metrics.get_sample_value("matchmaker_dials_total", {"outcome": "ok"}) == 1
    assert metrics.get_sample_value("matchmaker_wait_seconds_count", {"app": "default"}) == 1


@pytest.mark.parametrize("status", [403, 409, 503])
async def test_a_refusal_is_given_back_and_counts_unless_the_slot_is_occupied(replica: Replica, status: int) -> None:
    client = await matched(replica)
    await answer(replica, client, Failed(status, "refused"))
    (view,) = (await replica.store.inner.snapshot()).streamers
    assert view.failures == (0 if status == 409 else 1)
    assert replica.dials == []
    assert client.socket.is_open
    if status == 409:
        assert len(client.socket.controls) == 3, "another handover"
    else:
        assert client.details[-1] == messages.STREAMER_UNREACHABLE
        assert list(replica.broker.waiting) == [client.session]


async def test_a_streamer_that_the_router_cannot_reach_is_dialled_from_here(replica: Replica) -> None:
    client = await matched(replica)
    await answer(replica, client, Failed(0, "no answer in time"))
    (dial,) = replica.dials
    assert client.socket.controls[2:] == []
    dial.open()
    assert client.socket.controls[2:] == [RELAY]
    assert client.socket.on_control is None
    client.send(b"hello")
    assert dial.socket.sent == [b"hello"]
    await replica.settle()
    assert not replica.broker.owns(client.session)


async def test_a_late_failure_of_the_router_is_given_back(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "OWN_DIAL_SECONDS", 0.0)
    client = await matched(replica)
    await answer(replica, client, Failed(0, "no answer in time"))
    assert replica.dials == []
    assert list(replica.broker.waiting) == [client.session]


async def test_a_streamer_that_nobody_reaches_is_given_back_and_the_next_one_handed_over(replica: Replica) -> None:
    client = await matched(replica)
    await answer(replica, client, Failed(0, "refused"))
    replica.dials[0].fail()
    await replica.settle()
    assert (await replica.store.inner.snapshot()).streamers[0].failures == 1
    await replica.store.streamer(2)
    await replica.driver.renew()
    await replica.settle()
    assert len(replica.dials) == 1
    assert destination(client.socket.controls[2]).url.startswith("ws://10.0.0.2:4000/")


async def test_a_player_on_a_legacy_server_is_relayed(replica: Replica) -> None:
    client = await matched(replica, legacy=True)
    assert client.socket.controls == [HOLD]
    (dial,) = replica.dials
    dial.open()
    assert client.socket.controls == [HOLD, RELAY]


async def test_a_router_that_does_not_answer_is_closed(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router_leg, "ANSWER_SECONDS", 0.0)
    client = await matched(replica)
    assert client.socket.closes == [(close_codes.RESTARTING.code, close_codes.RESTARTING.reason)]
    client.leave()
    await replica.settle()
    assert not (await replica.store.inner.snapshot()).leases


@pytest.mark.parametrize("data", [b"", b"{}", HOLD, RELAY, handover.encode(Arrived(0.0))])
async def test_an_answer_without_a_question_has_no_effect(replica: Replica, data: bytes) -> None:
    client = replica.player(hands_over=True)
    await replica.settle()
    assert client.socket.on_control is not None
    client.socket.on_control(data)
    await replica.settle()
    assert list(replica.broker.waiting) == [client.session]


async def test_a_player_that_leaves_during_the_handover_leaves_no_lease(replica: Replica) -> None:
    client = await matched(replica)
    client.leave()
    await replica.settle()
    assert not (await replica.store.inner.snapshot()).leases
    assert len(replica.broker) == 0


@pytest.mark.parametrize(
    "claim",
    [
        None,
        "",
        "1",
        ClaimWriter(handover_key("x" * 32)).claim(0.0),
        tokens.sign(tokens.SessionToken("a", handover.CLAIM_AUDIENCE, "cam", "default"), KEY),
        handover.sign(Destination("ws://127.0.0.1/", "a"), handover_key(KEY)),
    ],
)
async def test_a_client_without_a_valid_claim_gets_no_control_message(replica: Replica, claim: str | None) -> None:
    await replica.store.streamer()
    decision = replica.upgrade(**({} if claim is None else {CLAIM_HEADER: claim}))
    assert not isinstance(decision, Refusal)
    socket = FakeSocket()
    decision.listener._opened(socket.real)
    await replica.settle()
    assert (socket.controls, socket.on_control) == ([], None)
    assert len(replica.dials) == 1


async def test_a_router_with_a_valid_claim_holds_its_player(replica: Replica) -> None:
    decision = replica.upgrade(**{CLAIM_HEADER: ClaimWriter(handover_key(KEY)).claim(0.0)})
    socket = FakeSocket()
    decision.listener._opened(socket.real)
    await replica.settle()
    assert socket.controls == [HOLD]
