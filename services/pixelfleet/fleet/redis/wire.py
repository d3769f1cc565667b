"""Commands to Redis and their replies on one connection, as cheap as they can be.

redis-py makes the connection: addresses, TLS, passwords and Sentinels. Its parser, hiredis, is then used directly:
a pipeline of redis-py costs five to ten times as much a call (docs/explanation/performance.md), and each match makes
several. Calls of one turn of the event loop are written together; replies come in order.
"""

import asyncio
from collections import deque
from typing import Any, Final, Self, cast

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from pixelfleet.fleet.redis.interface import Word
from pixelfleet.net.vendor_glue.redis_stream import take_stream

CHECK_SECONDS: Final = 1.0


class Wire(asyncio.Protocol):
    """One open connection."""

    def __init__(self, answer_seconds: float) -> None:
        self._answer_seconds = answer_seconds
        self._reader = hiredis.Reader()
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._out: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._check: asyncio.TimerHandle | None = None
        self._why = "connection lost"

    @classmethod
    async def connected(cls, client: Redis, answer_seconds: float) -> Self:
        """Return an open connection to a client's server; raise a RedisError or OSError."""
        connection: Connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        await connection.connect()  # type: ignore[no-untyped-call]
        writer = take_stream(connection)
        if writer is None:
            raise RedisConnectionError("closed as soon as it was open")
        wire = cls(answer_seconds)
        wire._take(writer)
        return wire

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._transport is not None

    def call(self, *words: Word) -> asyncio.Future[Any]:
        """Send a command. The future has its reply, which is an exception object when Redis refuses the command.

        It fails with a RedisConnectionError when the connection is lost first.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._transport is None:
            future.set_exception(RedisConnectionError(self._why))
            return future
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(hiredis.pack_command(words))  # type: ignore[arg-type]  # any number of words
        self._waiting.append((self._loop.time(), future))
        return future

    def close(self, why: str = "closed") -> None:
        """Drop the connection; whoever waits for a reply is told that it is lost."""
        if self._transport is not None:
            self._why = why
            self._transport.abort()
            self.connection_lost(None)

    # -- what asyncio calls -------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Hand out the replies that are complete."""
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                if not self._waiting:
                    raise hiredis.ProtocolError("a reply that nobody asked for")
                _, future = self._waiting.popleft()
                if not future.done():
                    future.set_result(reply)
        except hiredis.ProtocolError as error:
            self.close(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits, once."""
        self._transport = None
        if self._check is not None:
            self._check.cancel()
            self._check = None
        waiting, self._waiting = self._waiting, deque()
        for _, future in waiting:
            if not future.done():
                future.set_exception(RedisConnectionError(str(exc or self._why)))

    # -- inside -------------------------------------------------------------------------------------

    def _take(self, writer: asyncio.StreamWriter) -> None:
        transport = cast("asyncio.Transport", writer.transport)
        self._writer = writer  # it would close its transport when nobody has it any more
        transport.set_protocol(self)
        if not transport.is_reading():
            transport.resume_reading()
        self._transport = transport
        self._check = self._loop.call_later(CHECK_SECONDS, self._look)

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None:
            self._transport.write(b"".join(out))

    def _look(self) -> None:
        """Drop a connection on which a reply is overdue: a server that is frozen says nothing of it."""
        if self._waiting and self._loop.time() - self._waiting[0][0] > self._answer_seconds:
            self.close("no answer in time")
        else:
            self._check = self._loop.call_later(CHECK_SECONDS, self._look)


def done(reply: Any) -> Any:
    """Return a reply; raise it as a RedisError when it is a refusal."""
    if isinstance(reply, Exception):
        raise RedisError(str(reply))
    return reply
