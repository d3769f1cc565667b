"""Whether redis-py still has the private part that the connection to Redis is taken from."""

import asyncio
from importlib.metadata import version

import pytest
from redis.asyncio.connection import Connection

from pixelfleet.net.vendor_glue.redis_stream import READER, WRITER, ChangedLibraryError, take_stream


@pytest.mark.parametrize("name", [WRITER, READER])
def test_the_installed_redis_py_keeps_its_stream_where_we_take_it(name: str) -> None:
    connection = Connection(host="localhost")
    assert hasattr(connection, name), (
        f"redis-py {version('redis')} has no Connection.{name} any more: adapt"
        " pixelfleet/net/vendor_glue/redis_stream.py, then the pin of redis in pyproject.toml"
    )


async def test_a_stream_that_is_taken_is_open_and_redis_py_has_it_no_more() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(4))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = Connection(host="127.0.0.1", port=port, protocol=2, driver_info=None)
        await connection.connect()  # type: ignore[no-untyped-call]
        reader = getattr(connection, READER)
        writer = take_stream(connection)
        assert isinstance(writer, asyncio.StreamWriter), "redis-py keeps something else there than a StreamWriter"
        await connection.disconnect()
        writer.write(b"ping")
        assert await reader.read() == b"ping"
        writer.close()
        await writer.wait_closed()
        assert take_stream(connection) is None


def test_a_missing_attribute_is_named_with_what_to_do() -> None:
    class Other(Connection):
        def __init__(self) -> None:
            """Without any attribute."""

        def __del__(self, *_: object) -> None:
            """Nothing to close."""

    with pytest.raises(
        ChangedLibraryError, match=r"no attribute _writer and no _reader any more: adapt redis_stream\.py"
    ):
        take_stream(Other())
