"""Opens the fleet store at a URL."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.redis.announcements import Announcements
from pixelfleet.fleet.redis.runner import ANSWER_SECONDS, RedisScriptRunner
from pixelfleet.fleet.redis.store import RedisFleetStore
from pixelfleet.fleet.store import FleetStore
from pixelfleet.service.errors import UsageError

PREFIX: Final = "{pixelfleet}:"
"""The prefix of every key."""

CONNECT_SECONDS: Final = 2.0
SENTINEL_PORT: Final = 26379
SENTINEL_SCHEMES: Final = ("redis+sentinel", "rediss+sentinel")
SCHEMES: Final = ("redis", "rediss", "unix", *SENTINEL_SCHEMES)


@asynccontextmanager
async def open_store(
    url: str, *, prefix: str = PREFIX, clock: Callable[[], float] | None = None
) -> AsyncIterator[FleetStore]:
    """Yield the store at a URL; with an empty URL a store in this process's memory.

    Raises UsageError for an invalid URL. An unreachable Redis is no error here: it is dialled by the store's calls.
    """
    if not url:
        yield MemoryFleetStore(clock)
        return
    async with connector(url, calls=True) as for_calls, connector(url, calls=False) as for_announcements:
        runner, announcements = RedisScriptRunner(for_calls, prefix, clock), Announcements(for_announcements, prefix)
        try:
            yield RedisFleetStore(runner, announcements, prefix)
        finally:
            await announcements.stop()
            runner.stop()


@asynccontextmanager
async def connector(url: str, *, calls: bool) -> AsyncIterator[Callable[[], Redis]]:
    """Yield a factory of clients for a URL, for calls or for announcements; raise UsageError for an invalid URL.

    `redis://`, `rediss://` (TLS) and `unix://` are redis-py's own, with its options as a query (`?ssl_ca_certs=FILE`).
    `redis+sentinel://[user:password@]host:port,…/service/db` asks the Sentinels for the primary of the service.
    `rediss+sentinel://` uses TLS for Sentinels and servers; `?sentinel_password=` is the password of the Sentinels.
    """
    options = _options(calls=calls)
    sentinel = None
    try:
        scheme = urlsplit(url).scheme
        if scheme == "unix":
            del options["socket_keepalive"]
        if scheme not in SCHEMES:
            raise ValueError(f"must begin with one of {', '.join(f'{each}://' for each in SCHEMES)}")
        if scheme in SENTINEL_SCHEMES:
            sentinel, primary = _sentinel(url, options)
        else:
            Redis.from_url(url, **options).connection_pool.make_connection()  # type: ignore[no-untyped-call] # validates
    except (ValueError, TypeError, OSError) as error:
        raise UsageError(f"--redis-url: {error}") from None
    if sentinel is None:
        yield lambda: Redis.from_url(url, **options)
        return
    try:
        yield primary
    finally:
        for each in sentinel.sentinels:
            await each.aclose()


def _options(*, calls: bool) -> dict[str, Any]:
    return {
        "socket_timeout": ANSWER_SECONDS if calls else None,  # announcements may be rare
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_keepalive": True,
        "health_check_interval": 0,
        "retry": Retry(NoBackoff(), 0),  # the caller decides about retries
        "protocol": 2,
        "driver_info": None,  # redis-py would read files for its version
    }


def _sentinel(url: str, options: dict[str, Any]) -> tuple[Sentinel, Callable[[], Redis]]:
    target = urlsplit(url)
    addresses = [_address(entry) for entry in target.netloc.rpartition("@")[2].split(",")]
    service, _, database = target.path.strip("/").partition("/")
    if not service:
        raise ValueError("must name a service: redis+sentinel://host:port,host:port/service")
    if database and not database.isdecimal():
        raise ValueError("the part after the service is not the number of a database")
    query = parse_qs(target.query)
    sentinel_password = query.pop("sentinel_password", [None])[0]
    scheme = target.scheme.removesuffix("+sentinel")
    # redis-py parses the options of a URL with one host; they apply to each of these hosts.
    common = dict(parse_url(f"{scheme}://localhost/?{urlencode(query, doseq=True)}"))
    for name in ("host", "port", "db", "connection_class"):
        common.pop(name, None)
    tls = {"ssl": True} if scheme == "rediss" else {}
    account: dict[str, Any] = {"username": unquote(target.username or "") or None}
    account |= {"password": unquote(target.password or "") or None, "db": int(database or 0)}
    sentinels = {**_options(calls=True), **common, **tls, "password": sentinel_password}
    sentinel = Sentinel(addresses, sentinel_kwargs=sentinels, **options, **common, **tls)  # type: ignore[no-untyped-call]
    return sentinel, lambda: sentinel.master_for(service, **account)


def _address(entry: str) -> tuple[str, int]:
    host, colon, port = entry.rpartition(":")
    if not colon or entry.endswith("]"):
        host, port = entry, str(SENTINEL_PORT)
    if not host.strip("[]") or not port.isdecimal():
        raise ValueError("an address is not the host:port of a Sentinel")
    return host.strip("[]"), int(port)
