"""The one use of a private part of redis-py: the stream of a connection that it has opened.

redis-py opens the connection, with TLS, authentication and Sentinels, but has no public way to hand it over. The
attributes are the same in the series that pyproject.toml pins; a test names them when another series lacks them.
"""

import asyncio
from typing import Final

from redis.asyncio.connection import AbstractConnection

WRITER: Final = "_writer"
READER: Final = "_reader"


class ChangedLibraryError(RuntimeError):
    """redis-py does not have the private part that is used here."""


def take_stream(connection: AbstractConnection) -> asyncio.StreamWriter | None:
    """Take the stream of an open connection away from redis-py, which neither uses nor closes it after this.

    Returns None when the connection is closed already. Raises ChangedLibraryError.
    """
    missing = [name for name in (WRITER, READER) if not hasattr(connection, name)]
    if missing:
        raise ChangedLibraryError(
            f"redis-py's {type(connection).__name__} has no attribute {' and no '.join(missing)} any more:"
            " adapt redis_stream.py to where it keeps its stream now, then the pin of redis in pyproject.toml"
        )
    writer: asyncio.StreamWriter | None = getattr(connection, WRITER)
    setattr(connection, WRITER, None)
    setattr(connection, READER, None)
    return writer
