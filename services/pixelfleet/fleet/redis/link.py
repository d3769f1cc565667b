"""Runs the scripts on Redis, over one connection that is made when it is needed and made again when it is lost.

The connection keeps the order of calls. A call whose connection breaks fails with StoreUnavailableError; nothing is
sent twice behind the caller's back, except what Redis says that it has not done.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from pixelfleet.fleet.redis.interface import Word
from pixelfleet.fleet.redis.scripts import FORGOTTEN, load
from pixelfleet.fleet.redis.wire import Wire, done
from pixelfleet.fleet.store import StoreUnavailableError

ANSWER_SECONDS: Final = 3.0
"""A server that has not answered by then counts as away."""

FIRST_RETRY_SECONDS: Final = 0.1
LONGEST_RETRY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)

NOT_SERVING: Final = ("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")
"""How a server begins that answers, but is not the one to ask right now."""


class RedisLink:
    """Runs the scripts of `lua/` until it is stopped."""

    def __init__(self, connect: Callable[[], Redis], prefix: str, clock: Callable[[], float] | None = None) -> None:
        self._connect = connect
        self._prefix = prefix
        self._clock = clock
        self._wire: Wire | None = None
        self._calls: dict[str, tuple[Word, ...]] = {}
        """With which words each script is called."""
        self._connecting = asyncio.Lock()
        self._known_as = ("", 0)
        """The last connection: the server's run id, and the number that it has there."""
        self.connections = 0
        """How many were made: with each, answers to what was asked before may have been lost."""
        self._retry_at = 0.0
        self._retry = FIRST_RETRY_SECONDS
        self._why = "not connected"
        self._closed = False
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """Send nothing more; what waits fails."""
        self._closed = True
        self._drop("closed")

    async def run(self, script: str, *words: Word) -> Any:
        """Run a script; raise StoreUnavailableError when Redis cannot be reached, or does not do what it is asked."""
        wire = await self._connected()
        reply = await self._ask(wire, *self._calls[script], 1, self._prefix, self._time(), *words)
        if isinstance(reply, Exception) and str(reply).startswith(FORGOTTEN):
            try:
                self._calls = await load(wire)
            except RedisError as error:
                raise StoreUnavailableError(str(error)) from None
            reply = await self._ask(wire, *self._calls[script], 1, self._prefix, self._time(), *words)
        return self._checked(reply)

    async def read(self, *commands: tuple[Word, ...]) -> list[Any]:
        """Run plain commands that only read, on the same connection but not atomically."""
        wire = await self._connected()
        replies = await asyncio.gather(*(self._ask(wire, *command) for command in commands))
        return [self._checked(reply) for reply in replies]

    # -- inside -------------------------------------------------------------------------------------

    def _time(self) -> str:
        return "" if self._clock is None else str(round(self._clock() * 1e6))

    async def _ask(self, wire: Wire, *words: Word) -> Any:
        try:
            return await wire.call(*words)
        except RedisError as error:
            self._lost(wire, error)
            raise StoreUnavailableError(str(error)) from None

    def _checked(self, reply: Any) -> Any:
        """Return a reply; raise StoreUnavailableError for a refusal, and leave a server that does not serve now."""
        if not isinstance(reply, Exception):
            return reply
        why = str(reply)
        if why.startswith(NOT_SERVING):
            self._retry_at = self._loop.time() + FIRST_RETRY_SECONDS
            self._drop(why)
        else:
            log.error("fleet store refused", why=why)
        raise StoreUnavailableError(why)

    async def _connected(self) -> Wire:
        """Return the connection, made and introduced; raise when Redis does not answer or did not a moment ago."""
        if self._wire is not None and self._wire.is_open:
            return self._wire
        async with self._connecting:
            if self._wire is not None and self._wire.is_open:
                return self._wire
            if self._closed or self._loop.time() < self._retry_at:
                raise StoreUnavailableError("closed" if self._closed else self._why)
            try:
                wire = await Wire.connected(self._connect(), ANSWER_SECONDS)
                await self._introduce(wire)
            except (RedisError, OSError) as error:
                self._lost(None, error)
                raise StoreUnavailableError(self._why) from None
            self._wire = wire
            self._retry = FIRST_RETRY_SECONDS
            self._why = "connection lost"
            log.info("fleet store is connected")
            return wire

    async def _introduce(self, wire: Wire) -> None:
        """Load the scripts and tell the store which server process it is found on; raise a RedisError."""
        try:
            info = done(await wire.call("INFO", "server")).decode()
            run_id = next(line for line in info.splitlines() if line.startswith("run_id:")).partition(":")[2]
            await self._end_last(wire, run_id)
            self._calls = await load(wire)
            done(await wire.call(*self._calls["epoch"], 1, self._prefix, self._time(), run_id))
            self._known_as = (run_id, done(await wire.call("CLIENT", "ID")))
            self.connections += 1
        except BaseException:
            wire.close()
            raise

    async def _end_last(self, wire: Wire, run_id: str) -> None:
        """Have the server drop what it has not read yet of the last connection.

        A server that was frozen would else carry it out now or later, among what is asked over this one.
        """
        last_run, last_number = self._known_as
        if last_run == run_id:
            await wire.call("CLIENT", "KILL", "ID", last_number)

    def _lost(self, wire: Wire | None, error: Exception) -> None:
        if wire is not self._wire and wire is not None:
            return  # an older connection; it is known that it is lost
        why = str(error) or type(error).__name__
        if why != self._why or self._wire is not None:
            log.warning("fleet store cannot be reached", why=why)
        self._why = why
        self._retry_at = self._loop.time() + self._retry * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
        self._retry = min(self._retry * 2, LONGEST_RETRY_SECONDS)
        self._drop(why)

    def _drop(self, why: str) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close(why)
