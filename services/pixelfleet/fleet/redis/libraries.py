"""Removes function libraries of other releases from a server once no release uses them.

Each release has a library of its own (redis/scripts.py), and a server keeps libraries until they are deleted, also when
its data are flushed.
"""

from typing import Final

from redis.exceptions import RedisError

from pixelfleet.fleet.bounds import LIBRARY_LIST_SECONDS, LIBRARY_SECONDS
from pixelfleet.fleet.redis.scripts import LIBRARY_PREFIX, library_name
from pixelfleet.fleet.redis.wire import Wire, unwrap

LIST: Final = "libraries"
"""The key of a sorted set: libraries by the time at which they were last loaded or first seen, in unix seconds."""


async def remove_unused_libraries(wire: Wire, prefix: str) -> None:
    """Record the use of this release's library, and delete those that no release has loaded for LIBRARY_SECONDS.

    A release that runs for longer without a new connection loads its library again at its next call. Nothing is removed
    on a server without functions, without permission for them, or with a full memory.
    """
    stored = prefix + LIST
    try:
        now = int(unwrap(await wire.call("TIME"))[0])
        rows = unwrap(await wire.call("FUNCTION", "LIST", "LIBRARYNAME", f"{LIBRARY_PREFIX}*"))
        loaded = {dict(zip(row[::2], row[1::2], strict=True))[b"library_name"].decode() for row in rows}
        own = library_name()
        if own not in loaded:
            return  # the scripts run one by one
        others = loaded - {own}
        unwrap(await wire.call("ZADD", stored, *([] if others else ["XX"]), now, own))
        for other in others:
            unwrap(await wire.call("ZADD", stored, "NX", now, other))
        unwrap(await wire.call("EXPIRE", stored, LIBRARY_LIST_SECONDS))
        for name in unwrap(await wire.call("ZRANGEBYSCORE", stored, "-inf", now - LIBRARY_SECONDS)):
            await wire.call("FUNCTION", "DELETE", name)
            unwrap(await wire.call("ZREM", stored, name))
    except RedisError:
        return
