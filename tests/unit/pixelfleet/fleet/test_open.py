"""The URLs of a store, each with a real server of its kind."""

from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import Lease
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.redis.server_info import CLUSTER
from pixelfleet.fleet.store import FleetStore, StoreRefusedError, StoreUnavailableError
from pixelfleet.service.errors import UsageError
from tests.parts import eventually, free_port, free_ports
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, ask, redis_server
from tests.unit.pixelfleet.fleet.stores import Clock, Fleet, empty_store, streamer
from tests.unit.pixelfleet.net.certificates import make_certificate


async def works(store: FleetStore, clock: Clock) -> None:
    """Call most methods of a store."""
    fleet = Fleet(store, clock)
    await store.set_policies({"app": "pack"})
    await fleet.joins("p", "q")
    await fleet.reports(streamer("s1", node="n1", labels={"region": "eu"}))
    assert [lease.session_id for lease in (await fleet.renews()).leases] == ["p"]
    assert isinstance(await store.give_back("p", unreachable=False), Lease)
    await fleet.reports(streamer("s1", node="n1", labels={"region": "eu"}, sessions=("p",)))
    assert await fleet.queue() == ["q"]
    assert [view.length for view in await store.lanes(["app\x1f", "b\x1f"])] == [1, 0]
    await fleet.reports(streamer("s2", node="n2"))
    assert sorted(await fleet.matches()) == ["p", "q"]
    await store.leave("q")
    assert (await store.totals()).apps["app"].used == 1


async def test_without_a_url_the_store_is_in_memory(clock: Clock) -> None:
    async with open_store("", clock=clock) as store:
        assert isinstance(store, MemoryFleetStore)
        await works(store, clock)


async def test_a_standalone_server(own_redis: RedisServer, clock: Clock) -> None:
    async with empty_store(f"{own_redis.url}/3", clock) as store:
        await works(store, clock)
    async with Redis.from_url(own_redis.url) as redis:
        assert await redis.dbsize() == 0
        assert list(await redis.info("keyspace")) == ["db3"]


async def test_a_unix_socket(tmp_path: Path, clock: Clock) -> None:
    with redis_server(tmp_path, "--unixsocket", str(tmp_path / "redis.sock")) as server:
        async with empty_store(f"unix://{tmp_path}/redis.sock", clock) as store:
            await works(store, clock)
        assert await ask(server.url, "DBSIZE") > 0


async def test_a_redis_cluster_is_refused_in_one_line(tmp_path: Path, clock: Clock) -> None:
    # The port of the cluster bus is higher by 10,000.
    port = next(port for port in free_ports(200) if port < 55000)
    with redis_server(tmp_path, "--cluster-enabled", "yes", port=port) as server:
        await ask(server.url, "CLUSTER", "ADDSLOTS", *range(16384))

        async def is_up() -> bool:
            return b"cluster_state:ok" in await ask(server.url, "CLUSTER", "INFO")

        await eventually(is_up, "the cluster is up")
        with capture_logs() as logs:
            async with open_store(server.url, clock=clock) as store:
                for _ in range(2):
                    with pytest.raises(StoreRefusedError, match="Redis Cluster is not supported"):
                        await store.totals()
        assert [entry["why"] for entry in logs if "why" in entry] == [CLUSTER]


async def test_tls_with_a_private_authority(tmp_path: Path, clock: Clock) -> None:
    made = make_certificate(tmp_path)
    files = ("--tls-cert-file", made.certificate, "--tls-key-file", made.key, "--tls-ca-cert-file", made.certificate)
    with redis_server(tmp_path, *map(str, files), "--tls-auth-clients", "no") as it:
        url = f"rediss://localhost:{it.port}"
        async with empty_store(f"{url}?ssl_ca_certs={made.certificate}", clock) as store:
            await works(store, clock)
        async with open_store(url, clock=clock) as store:
            with pytest.raises(StoreUnavailableError):
                await store.totals()


async def test_sentinels_give_the_primary_also_after_a_failover(tmp_path: Path, clock: Clock) -> None:
    folders = [tmp_path / name for name in ("primary", "replica", "sentinel")]
    for folder in folders:
        folder.mkdir()
    guard = free_port()
    with (
        redis_server(folders[0]) as primary,
        redis_server(folders[1], "--replicaof", f"127.0.0.1 {primary.port}") as replica,
    ):
        async with Redis.from_url(replica.url) as redis:

            async def is_linked() -> bool:
                return bool((await redis.info("replication"))["master_link_status"] == "up")

            await eventually(is_linked, "the replica has its primary")
        rules = folders[2] / "sentinel.conf"
        rules.write_text(
            f"port {guard}\nbind 127.0.0.1\nsentinel monitor fleet 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds fleet 300\nsentinel failover-timeout fleet 3000\n"
        )
        with redis_server(folders[2], str(rules), "--sentinel", port=guard):

            async def knows_the_replica() -> bool:
                return len(await ask(f"redis://127.0.0.1:{guard}", "SENTINEL", "REPLICAS", "fleet")) == 1

            await eventually(knows_the_replica, "the Sentinel knows the replica")
            async with empty_store(f"redis+sentinel://127.0.0.1:{guard}/fleet/0", clock) as store:
                await works(store, clock)
                epoch = (await store.renew("r1", "")).epoch
                primary.kill()
                clock.advance(0.1)
                await eventually(store.totals, "the store is back", tolerating=(StoreUnavailableError,))
                renewal = await store.renew("r1", epoch)
                assert renewal.epoch != epoch
                assert renewal.warming_up


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("localhost:6379", "must begin with"),
        ("http://localhost", "must begin with"),
        ("redis://localhost:port", "port"),
        ("redis://localhost:6379?flavour=mint", "flavour"),
        ("redis+sentinel://localhost:26379", "must name a service"),
        ("redis+sentinel://localhost:x/fleet", "not the host:port"),
        ("redis+sentinel://localhost:1/fleet/x", "not the number"),
        ("redis+sentinel:///fleet", "not the host:port"),
        ("redis://[::1", ""),
    ],
)
async def test_an_invalid_url_is_reported_in_one_line(url: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        async with open_store(url):
            pass
    assert "--redis-url" in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
