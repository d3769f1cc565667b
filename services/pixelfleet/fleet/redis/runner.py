"""Runs the scripts on Redis over one connection, which is opened on demand and again after a loss.

The connection keeps the order of calls. A call whose connection breaks fails with StoreUnavailableError. A call is
sent again only if Redis reports that it does not have the script.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from pixelfleet.fleet.redis.interface import Word
from pixelfleet.fleet.redis.libraries import remove_unused_libraries
from pixelfleet.fleet.redis.scripts import UNKNOWN_SCRIPT, load
from pixelfleet.fleet.redis.server_info import ServerInfo, UnsuitableServerError
from pixelfleet.fleet.redis.wire import Wire, unwrap
from pixelfleet.fleet.store import StoreRefusedError, StoreUnavailableError

ANSWER_SECONDS: Final = 3.0
"""A server that has not answered for this time counts as unreachable."""

FIRST_RETRY_SECONDS: Final = 0.1
LONGEST_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)

NOT_SERVING: Final = ("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")
"""Prefixes of the errors of a server that cannot serve the store now."""

REFUSALS: Final = ("NOAUTH", "WRONGPASS", "NOPERM", "ERR ACL failure")
"""The beginnings of errors of a server that refuses this client's password or permissions."""


class RedisScriptRunner:
    """Runs the scripts of `lua/` until it is stopped."""

    def __init__(self, connect: Callable[[], Redis], prefix: str, clock: Callable[[], float] | None = None) -> None:
        self._connect = connect
        self._prefix = prefix
        self._clock = clock
        self._wire: Wire | None = None
        self._commands: dict[str, tuple[Word, ...]] = {}
        """The first words of the command that runs a script, by the script's name."""
        self._connecting = asyncio.Lock()
        self._last_connection = ("", 0)
        """The server's run id, and the connection's client id there."""
        self.connections = 0
        """The number of connections made so far. With each new one, replies to earlier calls may have been lost."""
        self._retry_at = 0.0
        self._retry = FIRST_RETRY_SECONDS
        self._reason = "not connected"
        self._refused = False
        """Whether the server refused this client at the last attempt to connect."""
        self.warning = ""
        """Why the server can lose data of the store that it has confirmed; read with each connection."""
        self._closed = False
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """Close the connection. Pending and later calls fail."""
        self._closed = True
        self._drop("closed")

    async def run(self, script: str, *words: Word) -> Any:
        """Run a script; raise StoreUnavailableError when Redis cannot be reached or refuses the call."""
        wire = self._wire
        if wire is None or not wire.is_open:
            wire = await self._connected()
        try:
            reply = await wire.call(*self._commands[script], 1, self._prefix, self._time(), *words)
        except RedisError as error:
            raise self._lost_call(wire, error) from None
        if not isinstance(reply, Exception):
            return reply
        if str(reply).startswith(UNKNOWN_SCRIPT):
            try:
                self._commands = await load(wire)
                await remove_unused_libraries(wire, self._prefix)
            except RedisError as error:
                raise _unavailable(str(error)) from None
            reply = await self._call(wire, *self._commands[script], 1, self._prefix, self._time(), *words)
        return self._checked(reply)

    async def read(self, *commands: tuple[Word, ...]) -> list[Any]:
        """Run read-only commands on the same connection, not atomically."""
        wire = await self._connected()
        replies = await asyncio.gather(*(self._call(wire, *command) for command in commands))
        return [self._checked(reply) for reply in replies]

    # -- private ------------------------------------------------------------------------------------

    def _time(self) -> str:
        return "" if self._clock is None else str(round(self._clock() * 1e6))

    async def _call(self, wire: Wire, *words: Word) -> Any:
        try:
            return await wire.call(*words)
        except RedisError as error:
            raise self._lost_call(wire, error) from None

    def _lost_call(self, wire: Wire, error: RedisError) -> StoreUnavailableError:
        """Drop a connection that has failed a call; return the error for the caller of the store."""
        self._lost(wire, error)
        return StoreUnavailableError(str(error))

    def _checked(self, reply: Any) -> Any:
        """Return a reply; raise StoreUnavailableError for an error.

        Closes the connection if the server cannot serve the store now.
        """
        if not isinstance(reply, Exception):
            return reply
        why = str(reply)
        if why.startswith(NOT_SERVING):
            self._retry_at = self._loop.time() + FIRST_RETRY_SECONDS
            self._drop(why)
        else:
            log.error("fleet store refused a call", why=why)
        raise _unavailable(why)

    async def _connected(self) -> Wire:
        """Return the connection, opened if necessary; raise StoreUnavailableError until the next retry."""
        if self._wire is not None and self._wire.is_open:
            return self._wire
        async with self._connecting:
            if self._wire is not None and self._wire.is_open:
                return self._wire
            if self._closed or self._loop.time() < self._retry_at:
                raise _unavailable("closed" if self._closed else self._reason, refused=self._refused)
            try:
                wire = await Wire.connect(self._connect(), ANSWER_SECONDS)
                await self._initialise(wire)
            except (RedisError, OSError) as error:
                self._lost(None, error)
                raise _unavailable(self._reason, refused=self._refused) from None
            self._wire = wire
            self._refused = False
            self._retry = FIRST_RETRY_SECONDS
            self._reason = "connection lost"
            log.info("fleet store connected")
            return wire

    async def _initialise(self, wire: Wire) -> None:
        """Load the scripts and report the run id of the server process to the store; raise a RedisError."""
        try:
            info = ServerInfo.parse(unwrap(await wire.call("INFO")).decode())
            info.check()
            self.warning = info.warning
            if info.warning:
                log.error("fleet store can lose data", why=info.warning, maxmemory=info.maxmemory)
            await self._kill_last_connection(wire, info.run_id)
            self._commands = await load(wire)
            await remove_unused_libraries(wire, self._prefix)
            unwrap(await wire.call(*self._commands["epoch"], 1, self._prefix, self._time(), info.run_id))
            self._last_connection = (info.run_id, unwrap(await wire.call("CLIENT", "ID")))
            self.connections += 1
        except BaseException:
            wire.close()
            raise

    async def _kill_last_connection(self, wire: Wire, run_id: str) -> None:
        """Make the server close the last connection and discard its unread commands.

        A server process that was suspended would otherwise run them between the calls of this connection.
        """
        last_run_id, client_id = self._last_connection
        if last_run_id == run_id:
            await wire.call("CLIENT", "KILL", "ID", client_id)

    def _lost(self, wire: Wire | None, error: Exception) -> None:
        if wire is not self._wire and wire is not None:
            return  # an older connection, whose loss is handled already
        why = str(error) or type(error).__name__
        if why != self._reason or self._wire is not None:
            log.warning("fleet store cannot be reached", why=why)
        self._reason = why
        self._refused = isinstance(error, AuthenticationError | UnsuitableServerError) or why.startswith(REFUSALS)
        self._retry_at = self._loop.time() + self._retry * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
        self._retry = min(self._retry * 2, LONGEST_RETRY_SECONDS)
        self._drop(why)

    def _drop(self, why: str) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close(why)


def _unavailable(why: str, *, refused: bool = False) -> StoreUnavailableError:
    """Return the error for the caller of the store."""
    return StoreRefusedError(why) if refused or why.startswith(REFUSALS) else StoreUnavailableError(why)
