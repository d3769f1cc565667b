"""Opens the fleet store that a URL names."""

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
from pixelfleet.fleet.redis.link import ANSWER_SECONDS, RedisLink
from pixelfleet.fleet.redis.store import RedisFleetStore
from pixelfleet.fleet.store import FleetStore
from pixelfleet.service.errors import UsageError

PREFIX: Final = "{pixelfleet}:"
"""Begins every key; the braces are what Redis Cluster hashes, so that all keys are on one node."""

CONNECT_SECONDS: Final = 2.0
SENTINEL_PORT: Final = 26379
SENTINEL_SCHEMES: Final = ("redis+sentinel", "rediss+sentinel")
SCHEMES: Final = ("redis", "rediss", "unix", *SENTINEL_SCHEMES)


@asynccontextmanager
async def open_store(
    url: str, *, prefix: str = PREFIX, clock: Callable[[], float] | None = None
) -> AsyncIterator[FleetStore]:
    """Yield the store at a URL; with an empty URL one in this process's memory.

    Raises UsageError for a URL that cannot be used. A Redis that is away is waited for by whoever uses the store.
    """
    if not url:
        yield MemoryFleetStore(clock)
        return
    async with connector(url, calls=True) as calling, connector(url, calls=False) as hearing:
        link, announcements = RedisLink(calling, prefix, clock), Announcements(hearing, prefix)
        try:
            yield RedisFleetStore(link, announcements, prefix)
        finally:
            await announcements.stop()
            link.stop()


@asynccontextmanager
async def connector(url: str, *, calls: bool) -> AsyncIterator[Callable[[], Redis]]:
    """Yield what makes a client for a URL, for calls or for announcements; raise UsageError for a bad one.

    `redis://`, `rediss://` (TLS) and `unix://` are redis-py's own, with its options as a query (`?ssl_ca_certs=FILE`).
    `redis+sentinel://[user:password@]host:port,…/service/db` asks the Sentinels for the primary of the service, and
    `rediss+sentinel://` speaks TLS with all of them; `?sentinel_password=` is theirs.
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
            Redis.from_url(url, **options).connection_pool.make_connection()  # type: ignore[no-untyped-call] # tries it
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
        "socket_timeout": ANSWER_SECONDS if calls else None,  # who listens may hear nothing for long
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_keepalive": True,
        "health_check_interval": 0,
        "retry": Retry(NoBackoff(), 0),  # who calls decides what is tried again
        "protocol": 2,
        "driver_info": None,  # redis-py reads files to tell its version
    }


def _sentinel(url: str, options: dict[str, Any]) -> tuple[Sentinel, Callable[[], Redis]]:
    target = urlsplit(url)
    addresses = [_address(entry) for entry in target.netloc.rpartition("@")[2].split(",")]
    service, _, database = target.path.strip("/").partition("/")
    if not service:
        raise ValueError("names no service: redis+sentinel://host:port,host:port/service")
    if database and not database.isdecimal():
        raise ValueError(f"'{database}' is no number of a database")
    query = parse_qs(target.query)
    guard = query.pop("sentinel_password", [None])[0]
    scheme = target.scheme.removesuffix("+sentinel")
    # What redis-py makes of such a URL for one server is right for each of these too.
    common = dict(parse_url(f"{scheme}://localhost/?{urlencode(query, doseq=True)}"))
    for name in ("host", "port", "db", "connection_class"):
        common.pop(name, None)
    tls = {"ssl": True} if scheme == "rediss" else {}
    account: dict[str, Any] = {"username": unquote(target.username or "") or None}
    account |= {"password": unquote(target.password or "") or None, "db": int(database or 0)}
    guards = {**_options(calls=True), **common, **tls, "password": guard}
    sentinel = Sentinel(addresses, sentinel_kwargs=guards, **options, **common, **tls)  # type: ignore[no-untyped-call]
    return sentinel, lambda: sentinel.master_for(service, **account)


def _address(entry: str) -> tuple[str, int]:
    host, colon, port = entry.rpartition(":")
    if not colon or entry.endswith("]"):
        host, port = entry, str(SENTINEL_PORT)
    if not host.strip("[]") or not port.isdecimal():
        raise ValueError(f"'{entry}' is no host:port of a Sentinel")
    return host.strip("[]"), int(port)
