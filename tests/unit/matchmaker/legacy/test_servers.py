"""Stock servers of one replica: what the store is told, and who is let in."""

import pytest

from matchmaker.legacy import servers as stock_servers
from matchmaker.settings import Settings
from pixelfleet.fleet.store import StoreUnavailableError
from tests.unit.matchmaker.connections import Servers


@pytest.fixture
async def servers() -> Servers:
    return Servers()


async def test_a_server_is_known_with_its_connect_and_follows_its_deltas(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock_servers, "INCREASE_SECONDS", 0.0)
    line = servers.line()
    line.connect(ready=False)
    assert await servers.state() == {"10.0.0.7:8080": (False, 0)}
    line.say("streamerConnected")
    assert await servers.state() == {"10.0.0.7:8080": (True, 0)}
    line.say("clientConnected", "clientConnected", "clientDisconnected", "streamerDisconnected")
    assert await servers.state() == {"10.0.0.7:8080": (False, 1)}
    line.say("clientDisconnected", "clientDisconnected", "clientDisconnected", "streamerConnected")
    assert await servers.state() == {"10.0.0.7:8080": (True, 0)}


async def test_two_servers_whose_connects_share_a_segment_are_both_known(servers: Servers) -> None:
    line = servers.line()
    line.say({"type": "connect", "port": 1, "ready": True}, {"type": "connect", "port": 2, "ready": True})
    # A link speaks for one server: the last that it has named.
    assert await servers.state() == {"10.0.0.7:1": (False, 0), "10.0.0.7:2": (True, 0)}


async def test_many_servers_are_all_known(servers: Servers) -> None:
    for port in range(1, 301):
        servers.line().connect(port=port)
    assert len(await servers.state()) == len(servers.servers) == 300


async def test_a_server_whose_link_broke_gets_nobody_and_is_whole_again_when_it_is_back(servers: Servers) -> None:
    line = servers.line()
    line.connect()
    await servers.headers()
    line.end()
    assert await servers.state() == {"10.0.0.7:8080": (False, 0)}
    assert len(servers.servers) == 0
    servers.line().connect(playerConnected=True)
    assert await servers.state() == {"10.0.0.7:8080": (True, 1)}


async def test_a_server_that_does_not_come_back_is_forgotten(servers: Servers) -> None:
    line = servers.line()
    line.connect()
    await servers.headers()
    line.end()
    servers.servers._forget(servers.servers._known["10.0.0.7:8080"])
    assert await servers.state() == {}


async def test_a_newer_link_speaks_for_the_server_and_the_older_one_is_closed(servers: Servers) -> None:
    old = servers.line()
    old.connect()
    new = servers.line()
    new.connect(ready=False)
    assert not old.is_open
    old.end()
    old.say("streamerConnected")
    assert await servers.state() == {"10.0.0.7:8080": (False, 0)}
    assert new.is_open


async def test_a_server_that_went_over_to_another_replica_is_that_ones(servers: Servers) -> None:
    other = Servers(servers.store, "there")
    old = servers.line()
    old.connect()
    await servers.headers()
    new = other.line()
    new.connect()
    await other.headers()
    old.say("streamerDisconnected")
    await servers.headers()
    assert not old.is_open
    assert await other.state() == {"10.0.0.7:8080": (True, 0)}


async def test_silent_links_are_closed_whether_or_not_they_ever_said_anything(servers: Servers) -> None:
    silent, mute, lively = servers.line(), servers.line(), servers.line()
    for number, line in enumerate((silent, lively)):
        line.connect(port=1 + number)
    now = servers.servers._loop.time()
    for line in (silent, mute, lively):
        line.connection.received = now - 76.0
    lively.say("ping")
    servers.servers.close_silent(now)
    for line in (silent, mute):
        assert not line.is_open
        line.end()
    assert lively.is_open
    assert await servers.state() == {"10.0.0.7:1": (False, 0), "10.0.0.7:2": (True, 0)}


async def test_only_links_from_allowed_networks_are_taken() -> None:
    servers = Servers(legacy_allow=["10.1.0.0/16", "2001:db8::/32"])
    allowed = [servers.line(peer).is_open for peer in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1")]
    refused = [servers.line(peer).is_open for peer in ("10.2.0.1", "::ffff:10.2.0.1", "2001:db9::1", "")]
    assert allowed == [True] * 3
    assert refused == [False] * 4


async def test_one_link_more_than_allowed_is_refused_also_before_it_says_anything() -> None:
    servers = Servers(legacy_servers=2)
    lines = [servers.line() for _ in range(3)]
    assert [line.is_open for line in lines] == [True, True, False]
    lines[0].connection.close()
    lines[0].end()
    assert servers.line().is_open


async def test_a_server_that_has_not_introduced_itself_is_not_understood(servers: Servers) -> None:
    line = servers.line()
    line.say(*["clientConnected"] * 101)
    assert not line.is_open
    assert await servers.state() == {}


async def test_what_could_not_be_told_is_told_later(servers: Servers) -> None:
    line = servers.line()
    line.connect()
    servers.store.away = True
    with pytest.raises(StoreUnavailableError):
        await servers.headers()
    line.say("clientConnected", "streamerDisconnected")
    with pytest.raises(StoreUnavailableError):
        await servers.headers()
    servers.store.away = False
    assert await servers.state() == {"10.0.0.7:8080": (False, 1)}


async def test_a_server_that_came_back_while_its_end_could_not_be_told_is_not_forgotten(servers: Servers) -> None:
    line = servers.line()
    line.connect()
    await servers.headers()
    line.end()
    servers.servers._forget(servers.servers._known["10.0.0.7:8080"])
    servers.store.away = True
    with pytest.raises(StoreUnavailableError):
        await servers.headers()
    servers.line().connect()
    servers.store.away = False
    assert await servers.state() == {"10.0.0.7:8080": (True, 0)}


async def test_after_the_store_has_forgotten_all_servers_are_told_of_again(servers: Servers) -> None:
    servers.line().connect(playerConnected=True)
    await servers.headers()
    servers.store.forget()
    servers.servers.report_all()
    assert await servers.state() == {"10.0.0.7:8080": (True, 1)}


def test_the_link_is_there_unless_there_is_redis_or_a_setting_says_otherwise() -> None:
    redis = "redis://127.0.0.1"
    assert Settings().link_port == 9999
    assert Settings(redis_url=redis).link_port is None
    assert Settings(redis_url=redis, legacy_port=7777).link_port == 7777
    assert Settings(redis_url=redis, legacy_link=True).link_port == 9999
    assert Settings(legacy_link=False, legacy_port=7777).link_port is None
