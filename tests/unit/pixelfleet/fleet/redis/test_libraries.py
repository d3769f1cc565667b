"""Function libraries of other releases are removed once no release uses them, and never while one does."""

from pathlib import Path
from typing import Final

from pixelfleet.fleet.open import PREFIX, open_store
from pixelfleet.fleet.redis.libraries import LIST
from pixelfleet.fleet.redis.scripts import library_name
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, ask, redis_server

EARLIER: Final = "pixelfleet_0123456789abcdef"
FOREIGN: Final = "another"
A_BIT: Final = 60
A_DAY: Final = 24 * 3600  # written out: a changed bound fails these tests


async def load_library(server: RedisServer, name: str) -> None:
    body = f"redis.register_function('{name}_f', function() return 1 end)"
    await ask(server.url, "FUNCTION", "LOAD", f"#!lua name={name}\n{body}")


async def libraries(server: RedisServer) -> set[str]:
    return {row[b"library_name"].decode() for row in await ask(server.url, "FUNCTION", "LIST")}


async def connect(server: RedisServer) -> None:
    async with open_store(server.url) as store:
        await store.totals()


async def age(server: RedisServer, name: str, seconds: int) -> None:
    """Record that a library was last loaded this long ago."""
    now = (await ask(server.url, "TIME"))[0]
    await ask(server.url, "ZADD", PREFIX + LIST, int(now) - seconds, name)


async def test_a_library_that_no_release_has_loaded_for_a_day_is_removed(own_redis: RedisServer) -> None:
    for name in (EARLIER, FOREIGN):
        await load_library(own_redis, name)
    await connect(own_redis)
    assert await libraries(own_redis) == {EARLIER, FOREIGN, library_name()}, "it may be in use"
    assert 89 * A_DAY < await ask(own_redis.url, "TTL", PREFIX + LIST) <= 90 * A_DAY
    await age(own_redis, EARLIER, A_DAY - A_BIT)
    await connect(own_redis)
    assert EARLIER in await libraries(own_redis)
    await age(own_redis, EARLIER, A_DAY + A_BIT)
    await connect(own_redis)
    assert await libraries(own_redis) == {FOREIGN, library_name()}
    assert await ask(own_redis.url, "ZRANGE", PREFIX + LIST, 0, -1) == [library_name().encode()]


async def test_a_library_whose_users_have_not_connected_for_long_is_loaded_again(own_redis: RedisServer) -> None:
    async with open_store(own_redis.url) as store:
        await store.totals()
        await ask(own_redis.url, "FUNCTION", "DELETE", library_name())
        await age(own_redis, library_name(), A_DAY + A_BIT)
        await store.totals()
        assert library_name() in await libraries(own_redis)
        await connect(own_redis)
        assert library_name() in await libraries(own_redis)


async def test_a_server_without_functions_serves_the_store(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--rename-command", "FUNCTION", "") as server:
        await connect(server)
