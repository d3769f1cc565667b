"""Admission of players, and detection of a replica that reaches no streamer."""

from collections.abc import AsyncIterator

import pytest

from pixelfleet.auth.identity import Identity
from pixelfleet.net.dial import DialError
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks
from tests.unit.matchmaker.replicas import Replica


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    async with Tasks() as owner:
        yield owner


@pytest.fixture
async def replica(monkeypatch: pytest.MonkeyPatch, tasks: Tasks) -> Replica:
    return Replica(monkeypatch, tasks, origins=["https://play.example"], max_queue=2)


async def test_players_are_accepted_on_any_path(replica: Replica) -> None:
    for path in ("/", "/ws", "/matchmaker?app=car", "/?id=*", "/?region=eu&OfferToReceive=true"):
        assert replica.upgrade(path).status == 101


async def test_invalid_requests_are_refused_with_a_status(replica: Replica) -> None:
    assert replica.upgrade("/?app=a%20b").status == 400
    assert replica.upgrade("/?id=" + "x" * 300).status == 400
    assert replica.upgrade("/", Origin="https://evil.example").status == 403
    assert replica.upgrade("/", Origin="https://play.example").status == 101
    for _ in range(2):
        replica.player()
    await replica.settle()
    assert replica.upgrade("/").status == 503


async def test_a_client_at_its_limit_is_refused_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch, tasks: Tasks
) -> None:
    replica = Replica(monkeypatch, tasks, joins_per_minute=8, connections_per_address=3)
    players = [replica.player(client="192.0.2.1") for _ in range(3)]
    assert replica.upgrade(remote="192.0.2.1").status == 429
    assert replica.upgrade(remote="192.0.2.2").status == 101
    players[0].leave()
    assert [replica.upgrade(remote="192.0.2.1").status for _ in range(4)] == [101, 101, 101, 429]


async def test_refusals_are_counted_by_reason(monkeypatch: pytest.MonkeyPatch, tasks: Tasks) -> None:
    replica = Replica(monkeypatch, tasks, origins=["https://play.example"], joins_per_minute=2)
    for remote in ("192.0.2.1", "192.0.2.1"):
        replica.upgrade(remote=remote, Origin="https://evil.example")
    replica.upgrade("/?app=a%20b")
    registry, name = replica.players.metrics.registries.all, "matchmaker_upgrades_refused_total"
    counts = {reason: registry.get_sample_value(name, {"reason": reason}) for reason in ("address", "origin", "query")}
    assert counts == {"address": 1, "origin": 1, "query": 1}


async def test_a_closing_replica_refuses_new_players(replica: Replica) -> None:
    replica.players.closing = True
    assert replica.upgrade("/").status == 503
    await replica.settle()
    assert len(replica.players) == 0


async def test_a_replica_whose_dials_all_fail_is_broken(replica: Replica) -> None:
    reports = [await replica.store.streamer(number) for number in range(1, 6)]
    for report in reports[:4]:
        replica.players.dialled(report, DialError("refused"))
        assert not replica.players.broken
    replica.players.dialled(reports[4], DialError("refused"))
    broken = replica.players.broken
    replica.players.dialled(reports[0], None)
    assert (broken, replica.players.broken) == (True, False)


async def test_failed_dials_of_one_streamer_do_not_make_a_replica_broken(replica: Replica) -> None:
    report = await replica.store.streamer()
    for _ in range(40):
        replica.players.dialled(report, DialError("refused"))
    assert not replica.players.broken


async def test_close_all_closes_with_a_code_for_reconnection(replica: Replica) -> None:
    clients = [replica.player() for _ in range(3)]
    replica.players.close_all()
    assert {code for client in clients for code, _ in client.socket.closes} == {4005}
    for client in clients:
        replica.players.left.clear()
        client.leave()
        assert replica.players.left.is_set()
    assert len(replica.players) == 0


async def test_notices_are_delivered_to_their_player(replica: Replica) -> None:
    first, second = replica.player(), replica.player()
    await replica.settle()
    assert await replica.store.inner.end(first.session)
    assert await replica.store.inner.end(second.session)
    second.leave()
    await replica.driver.renew()
    await replica.settle()
    assert [code for code, _ in first.socket.closes] == [close_codes.KICKED.code]
    assert second.socket.closes == []


async def test_launch_parameters_are_forwarded_within_bounds(replica: Replica) -> None:
    query = "OfferToReceive=true&map=a&launch.map=" + "d" * 100 + f"&launch.{'x' * 60}=1"
    forwarded = replica.players._wishes.of(f"/?{query}", Identity("ada", "none")).forwarded
    assert forwarded == {"OfferToReceive": "true", "launch.map": "d" * 64}
    many = "&".join(f"launch.p{number}=1" for number in range(30))
    forwarded = replica.players._wishes.of(f"/?{many}", Identity("ada", "none")).forwarded
    assert len(forwarded) == 16
