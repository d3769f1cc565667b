"""A relayed player whose page does not answer its match gives up its streamer; nobody else suffers from it."""

import pytest

from pixelfleet.fleet import handover
from pixelfleet.fleet.handover import handover_key
from pixelfleet.net.confirmation import PING, Confirmation
from pixelfleet.protocol import close_codes
from tests.unit.matchmaker.replicas import KEY, Client, Dial, Replica
from tests.unit.matchmaker.test_player import dialled

PASSED_OVER = (close_codes.PASSED_OVER.code, close_codes.PASSED_OVER.reason)


async def joined(replica: Replica, *, legacy: bool = False) -> tuple[Client, Dial]:
    """Return a player that is connected to its streamer, and has sent nothing since."""
    client = await dialled(replica, legacy=legacy)
    (dial,) = replica.dials
    dial.open()
    await replica.settle()
    return client, dial


def confirmation(client: Client) -> Confirmation:
    assert isinstance(client.socket.handler, Confirmation)
    return client.socket.handler


def half(client: Client) -> None:
    """Let half of the confirmation time pass."""
    pending = confirmation(client)
    pending._deadlines.discard(pending)
    pending._due()


def whole(client: Client) -> None:
    for _ in range(2):
        half(client)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("greeted", [False, True])
async def test_a_silent_page_loses_its_streamer_at_once(replica: Replica, *, legacy: bool, greeted: bool) -> None:
    client, dial = await joined(replica, legacy=legacy)
    if greeted:
        dial.handler.message(b'{"type":"config"}')
    whole(client)
    (code, _), *_ = dial.socket.closes
    assert code == (1000 if legacy else PASSED_OVER[0]), "legacy servers do not know the code"
    assert client.socket.closes == [PASSED_OVER]
    dial.handler.closed(*dial.socket.closes[0])  # the server answers sooner than the page, which may never
    await replica.settle()
    assert not replica.broker.owns(client.session)
    snapshot = await replica.store.inner.snapshot()
    assert [view.failures for view in snapshot.streamers] == [0]
    if legacy:
        assert snapshot.leases == (), "a native server reports the end itself"
    assert len(replica.dials) == 1, "it is not dialled again"
    metrics = replica.players.metrics.registries.all
    assert metrics.get_sample_value("matchmaker_players_passed_over_total") == 1
    client.leave()
    assert metrics.get_sample_value("matchmaker_players_left_total", {"ending": "left"}) == 1


async def test_after_a_message_the_player_handles_its_socket(replica: Replica) -> None:
    client, dial = await joined(replica)
    confirmation(client).message(b'{"type":"subscribe"}')
    assert client.socket.handler is client.player
    assert dial.socket.sent == [b'{"type":"subscribe"}']


async def test_a_player_whose_server_fails_waits_again_without_a_confirmation(replica: Replica) -> None:
    client, dial = await joined(replica, legacy=True)
    dial.handler.closed(1013, "full")
    await replica.settle()
    assert client.socket.handler is client.player
    assert client.socket.is_open


async def test_nobody_is_passed_over_without_a_time(monkeypatch: pytest.MonkeyPatch, replica: Replica) -> None:
    monkeypatch.setattr(replica.players, "confirm_seconds", 0.0)
    client, _ = await joined(replica)
    assert client.socket.handler is None


async def test_a_page_of_5_0_has_its_time_from_the_first_offer(replica: Replica) -> None:
    replica.players.dialects._shown["s1"] = "5.1"
    client, dial = await joined(replica, legacy=True)
    dial.handler.message(b'{"type":"config"}')
    for _ in range(5):
        half(client)
    assert PING not in client.socket.sent
    dial.handler.message(b'{"type":"offer","sdp":"x"}')
    half(client)
    assert client.socket.is_open
    confirmation(client).message(b'{"type":"answer","sdp":"x"}')
    assert (client.socket.handler, client.socket.is_open) == (client.player, True)


async def test_an_offer_gives_the_whole_time_again(replica: Replica) -> None:
    client, dial = await joined(replica, legacy=True)
    half(client)
    dial.handler.message(b'{"type":"offer","sdp":"x"}')
    half(client)
    assert client.socket.is_open
    half(client)
    assert client.socket.closes == [PASSED_OVER]


async def test_a_router_is_sent_the_time(replica: Replica) -> None:
    await replica.store.streamer()
    client = replica.player(hands_over=True)
    await replica.settle()
    order = handover.read_order(client.socket.controls[-1])
    assert isinstance(order, handover.Handover)
    assert handover.verify(order.destination, handover_key(KEY)).confirm_seconds == 3.0
