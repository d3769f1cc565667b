"""The legacy servers of one replica: their reports to the store, and limits of their connections."""

import pytest

from matchmaker.legacy import servers as legacy_servers
from matchmaker.settings import Settings
from pixelfleet.fleet.store import StoreUnavailableError
from tests.unit.matchmaker.connections import Servers


@pytest.fixture
async def servers() -> Servers:
    return Servers()


async def report_and_disconnect(servers: Servers) -> None:
    """A legacy server connects, is reported to the store, and disconnects."""
    client = servers.connect()
    client.connect()
    await servers.report()
    client.end()


async def test_a_server_is_reported_after_connect_and_each_delta(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(legacy_servers, "INCREASE_SECONDS", 0.0)
    client = servers.connect()
    client.connect(ready=False)
    assert await servers.state() == {"10.0.0.7:8080": (False, 0)}
    client.send("streamerConnected")
    assert await servers.state() == {"10.0.0.7:8080": (True, 0)}
    client.send("clientConnected", "clientConnected", "clientDisconnected", "streamerDisconnected")
    assert await servers.state() == {"10.0.0.7:8080": (False, 1)}
    client.send("clientDisconnected", "clientDisconnected", "clientDisconnected", "streamerConnected")
    assert await servers.state() == {"10.0.0.7:8080": (True, 0)}


async def test_a_second_connect_on_a_connection_replaces_the_first_server(servers: Servers) -> None:
    client = servers.connect()
    client.send({"type": "connect", "port": 1, "ready": True}, {"type": "connect", "port": 2, "ready": True})
    # A connection reports one server: that of its last `connect`.
    assert await servers.state() == {"10.0.0.7:1": (False, 0), "10.0.0.7:2": (True, 0)}


async def test_many_servers_are_all_reported(servers: Servers) -> None:
    for port in range(1, 301):
        servers.connect().connect(port=port)
    assert len(await servers.state()) == len(servers.servers) == 300


async def test_a_disconnected_server_is_not_ready_until_it_reconnects(servers: Servers) -> None:
    await report_and_disconnect(servers)
    assert await servers.state() == {"10.0.0.7:8080": (False, 0)}
    assert len(servers.servers) == 0
    servers.connect().connect(playerConnected=True)
    assert await servers.state() == {"10.0.0.7:8080": (True, 1)}


async def test_a_server_that_does_not_reconnect_is_removed(servers: Servers) -> None:
    await report_and_disconnect(servers)
    servers.servers._remove(servers.servers._registrations["10.0.0.7:8080"])
    assert await servers.state() == {}


async def test_a_newer_connection_of_a_server_replaces_the_older_one(servers: Servers) -> None:
    old = servers.connect()
    old.connect()
    new = servers.connect()
    new.connect(ready=False)
    assert not old.is_open
    old.end()
    old.send("streamerConnected")
    assert await servers.state() == {"10.0.0.7:8080": (False, 0)}
    assert new.is_open


async def test_a_server_that_reconnects_to_another_replica_belongs_to_it(servers: Servers) -> None:
    other = Servers(servers.store, "there")
    old = servers.connect()
    old.connect()
    await servers.report()
    new = other.connect()
    new.connect()
    await other.report()
    old.send("streamerDisconnected")
    await servers.report()
    assert not old.is_open
    assert await other.state() == {"10.0.0.7:8080": (True, 0)}


async def test_silent_connections_are_closed_even_before_their_first_message(servers: Servers) -> None:
    silent, mute, lively = servers.connect(), servers.connect(), servers.connect()
    for number, client in enumerate((silent, lively)):
        client.connect(port=1 + number)
    now = servers.servers._loop.time()
    for client in (silent, mute, lively):
        client.connection.last_received = now - 76.0
    lively.send("ping")
    servers.servers.close_silent(now)
    for client in (silent, mute):
        assert not client.is_open
        client.end()
    assert lively.is_open
    assert await servers.state() == {"10.0.0.7:1": (False, 0), "10.0.0.7:2": (True, 0)}


async def test_only_connections_from_allowed_networks_are_accepted() -> None:
    servers = Servers(legacy_allow=["10.1.0.0/16", "2001:db8::/32"])
    allowed = [servers.connect(peer).is_open for peer in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1")]
    refused = [servers.connect(peer).is_open for peer in ("10.2.0.1", "::ffff:10.2.0.1", "2001:db9::1", "")]
    assert allowed == [True] * 3
    assert refused == [False] * 4


async def test_connections_over_the_limit_are_refused_before_their_first_message() -> None:
    servers = Servers(legacy_servers=2)
    clients = [servers.connect() for _ in range(3)]
    assert [client.is_open for client in clients] == [True, True, False]
    clients[0].connection.close()
    clients[0].end()
    assert servers.connect().is_open


async def test_a_connection_may_change_its_identity_only_a_few_times(servers: Servers) -> None:
    client = servers.connect()
    client.send(*({"type": "connect", "port": port, "ready": True} for port in range(1, 65_001)))
    assert not client.is_open
    assert len(servers.servers._registrations) == legacy_servers.MAX_IDENTITY_CHANGES + 1
    assert len(servers.servers) == 0


async def test_a_connection_of_one_server_may_repeat_connect(servers: Servers) -> None:
    client = servers.connect()
    for _ in range(10 * legacy_servers.MAX_IDENTITY_CHANGES):
        client.connect()
    assert client.is_open
    assert await servers.state() == {"10.0.0.7:8080": (True, 0)}


async def test_disconnected_servers_are_bounded() -> None:
    servers = Servers(legacy_servers=3)
    for port in range(1, 20):
        client = servers.connect()
        client.connect(port=port)
        client.end()
    assert len(servers.servers._registrations) == 6
    returning = servers.connect()
    returning.connect(port=1)
    assert len(servers.servers) == 1, "a known server may reconnect"


async def test_messages_before_connect_are_invalid(servers: Servers) -> None:
    client = servers.connect()
    client.send(*["clientConnected"] * 101)
    assert not client.is_open
    assert await servers.state() == {}


async def test_failed_reports_are_sent_later(servers: Servers) -> None:
    client = servers.connect()
    client.connect()
    servers.store.unavailable = True
    with pytest.raises(StoreUnavailableError):
        await servers.report()
    client.send("clientConnected", "streamerDisconnected")
    with pytest.raises(StoreUnavailableError):
        await servers.report()
    servers.store.unavailable = False
    assert await servers.state() == {"10.0.0.7:8080": (False, 1)}


async def test_a_server_that_reconnects_before_its_removal_is_reported_stays(servers: Servers) -> None:
    await report_and_disconnect(servers)
    servers.servers._remove(servers.servers._registrations["10.0.0.7:8080"])
    servers.store.unavailable = True
    with pytest.raises(StoreUnavailableError):
        await servers.report()
    servers.connect().connect()
    servers.store.unavailable = False
    assert await servers.state() == {"10.0.0.7:8080": (True, 0)}


async def test_all_servers_are_reported_again_after_a_store_reset(servers: Servers) -> None:
    servers.connect().connect(playerConnected=True)
    await servers.report()
    servers.store.reset()
    servers.servers.report_all()
    assert await servers.state() == {"10.0.0.7:8080": (True, 1)}


def test_the_port_for_legacy_servers_is_open_without_redis_or_by_setting() -> None:
    redis = "redis://127.0.0.1"
    assert Settings().link_port == 9999
    assert Settings(redis_url=redis).link_port is None
    assert Settings(redis_url=redis, legacy_port=7777).link_port == 7777
    assert Settings(redis_url=redis, legacy_link=True).link_port == 9999
    assert Settings(legacy_link=False, legacy_port=7777).link_port is None
