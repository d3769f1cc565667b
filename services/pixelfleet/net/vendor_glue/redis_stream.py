"""The only use of private attributes of redis-py: the stream of an open connection.

redis-py opens the connection, with TLS, authentication and Sentinels, but has no public interface to release it. All
versions that pyproject.toml allows have these attributes; a canary test covers them.
"""

import asyncio
from typing import Final

from redis.asyncio.connection import AbstractConnection

WRITER: Final = "_writer"
READER: Final = "_reader"


class ChangedLibraryError(RuntimeError):
    """redis-py lacks a private attribute that this module uses."""


def take_stream(connection: AbstractConnection) -> asyncio.StreamWriter | None:
    """Return the stream of an open connection; redis-py no longer uses or closes it.

    Returns None when the connection is closed. Raises ChangedLibraryError.
    """
    missing = [name for name in (WRITER, READER) if not hasattr(connection, name)]
    if missing:
        raise ChangedLibraryError(
            f"redis-py's {type(connection).__name__} has no attribute {' and no '.join(missing)} any more:"
            " adapt redis_stream.py, then the version of redis in pyproject.toml"
        )
    writer: asyncio.StreamWriter | None = getattr(connection, WRITER)
    setattr(connection, WRITER, None)
    setattr(connection, READER, None)
    return writer
