"""Servers that refuse a client until an operator changes a setting, and servers that evict."""

import pytest
from structlog.testing import capture_logs

from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.store import StoreRefusedError, StoreUnavailableError
from tests.parts import eventually
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, ask
from tests.unit.pixelfleet.fleet.stores import Clock, empty_store

RIGHTS = ("~*", "&*", "+@all")


async def add_user(server: RedisServer, password: str) -> str:
    """Add a user; return its URL."""
    await ask(server.url, "ACL", "SETUSER", "role", "on", f">{password}", *RIGHTS)
    return url_of(server, password)


def url_of(server: RedisServer, password: str) -> str:
    return f"redis://role:{password}@127.0.0.1:{server.port}"


async def test_a_wrong_password_is_a_refusal(own_redis: RedisServer) -> None:
    await add_user(own_redis, "right")
    async with open_store(url_of(own_redis, "wrong")) as store:
        for _ in range(2):
            with pytest.raises(StoreRefusedError, match="password"):
                await store.totals()
        await add_user(own_redis, "wrong")
        await eventually(store.totals, "the password is accepted", tolerating=(StoreUnavailableError,))


async def test_a_missing_password_is_a_refusal(own_redis: RedisServer) -> None:
    await ask(own_redis.url, "ACL", "SETUSER", "default", "resetpass", ">right")
    async with open_store(own_redis.url) as store:
        with pytest.raises(StoreRefusedError, match="NOAUTH"):
            await store.totals()


async def test_a_missing_permission_is_a_refusal_until_it_is_given(own_redis: RedisServer) -> None:
    url = await add_user(own_redis, "right")
    async with open_store(url) as store:
        await store.totals()
        await ask(own_redis.url, "ACL", "SETUSER", "role", "-fcall")
        with pytest.raises(StoreRefusedError, match="NOPERM"):
            await store.totals()
        await ask(own_redis.url, "ACL", "SETUSER", "role", "+fcall")
        await store.totals()


async def test_a_server_that_cannot_be_reached_is_no_refusal(own_redis: RedisServer) -> None:
    own_redis.kill()
    async with open_store(own_redis.url) as store:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.totals()
        assert not isinstance(caught.value, StoreRefusedError)


async def test_a_server_that_evicts_is_logged_and_is_a_warning_of_each_renewal(own_redis: RedisServer) -> None:
    await ask(own_redis.url, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    await ask(own_redis.url, "CONFIG", "SET", "maxmemory", "100mb")
    with capture_logs() as logs:
        async with empty_store(own_redis.url, Clock()) as store:
            assert "allkeys-lru" in (await store.renew("r1", "")).warning
    (logged,) = [entry for entry in logs if entry["event"] == "fleet store can lose data"]
    assert logged["log_level"] == "error"
    assert "noeviction" in logged["why"]


async def test_a_server_that_does_not_evict_is_no_warning(own_redis: RedisServer) -> None:
    await ask(own_redis.url, "CONFIG", "SET", "maxmemory", "100mb")
    async with empty_store(own_redis.url, Clock()) as store:
        assert (await store.renew("r1", "")).warning == ""
