"""Sends commands to Redis and receives their replies on one connection, at low cost.

redis-py opens the connection: addresses, TLS, passwords and Sentinels. Its parser, hiredis, is then used directly: a
pipeline of redis-py costs five to ten times as much per call (docs/explanation/performance.md), and each match needs
several calls. Calls in one iteration of the event loop are written together; replies come in order.
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
    async def connect(cls, client: Redis, answer_seconds: float) -> Self:
        """Open a connection to a client's server; raise a RedisError or OSError."""
        connection: Connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        await connection.connect()  # type: ignore[no-untyped-call]
        writer = take_stream(connection)
        if writer is None:
            raise RedisConnectionError("closed immediately")
        wire = cls(answer_seconds)
        wire._attach(writer)
        return wire

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._transport is not None

    def call(self, *words: Word) -> asyncio.Future[Any]:
        """Send a command. The future resolves to its reply, which is an exception object for an error of Redis.

        The future fails with a RedisConnectionError if the connection is lost first.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._transport is None:
            future.set_exception(RedisConnectionError(self._why))
            return future
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(hiredis.pack_command(words))  # type: ignore[arg-type]  # any number of words
        if self._check is None:
            self._check = self._loop.call_later(CHECK_SECONDS, self._check_timeout)
        self._waiting.append((self._loop.time(), future))
        return future

    def close(self, why: str = "closed") -> None:
        """Close the connection; pending calls fail with `why`."""
        if self._transport is not None:
            self._why = why
            self._transport.abort()
            self.connection_lost(None)

    # -- called by asyncio --------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Resolve the futures of complete replies."""
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                if not self._waiting:
                    raise hiredis.ProtocolError("unexpected reply")
                _, future = self._waiting.popleft()
                if not future.done():
                    future.set_result(reply)
        except hiredis.ProtocolError as error:
            self.close(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail all pending calls."""
        self._transport = None
        if self._check is not None:
            self._check.cancel()
            self._check = None
        waiting, self._waiting = self._waiting, deque()
        for _, future in waiting:
            if not future.done():
                future.set_exception(RedisConnectionError(str(exc or self._why)))

    # -- private ------------------------------------------------------------------------------------

    def _attach(self, writer: asyncio.StreamWriter) -> None:
        transport = cast("asyncio.Transport", writer.transport)
        self._writer = writer  # a writer closes its transport when it is garbage-collected
        transport.set_protocol(self)
        if not transport.is_reading():
            transport.resume_reading()
        self._transport = transport

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None:
            self._transport.write(b"".join(out))

    def _check_timeout(self) -> None:
        """Close the connection if a reply is overdue, as a suspended server does not close it.

        Without a pending call there is no further check, so that an idle connection wakes no process.
        """
        self._check = None
        if not self._waiting:
            return
        if self._loop.time() - self._waiting[0][0] > self._answer_seconds:
            self.close("no answer in time")
        else:
            self._check = self._loop.call_later(CHECK_SECONDS, self._check_timeout)


def unwrap(reply: Any) -> Any:
    """Return a reply; raise an error of Redis as a RedisError."""
    if isinstance(reply, Exception):
        raise RedisError(str(reply))
    return reply
