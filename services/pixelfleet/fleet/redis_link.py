"""One connection to Redis for scripts, and one for announcements.

Calls that come together travel together: while one batch is on its way, the next one gathers. The connection keeps
their order. A call whose connection breaks fails with StoreUnavailableError; nothing is sent twice behind the
caller's back, except what Redis says that it has not done.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    BusyLoadingError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)

from pixelfleet.fleet import model
from pixelfleet.fleet.store import StoreUnavailableError

SCRIPTS: Final = (
    "end",
    "epoch",
    "give_back",
    "hold_back",
    "join",
    "keep",
    "lanes",
    "leave",
    "policies",
    "report",
    "restore",
    "totals",
)
GATHER_SECONDS: Final = 0.001
"""How long the first call of a batch waits for company."""

MAX_BATCH: Final = 256
FIRST_RETRY_SECONDS: Final = 0.1
LONGEST_RETRY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)

Word = str | bytes | int
Call = tuple[str, list[bytes], asyncio.Future[Any]]
"""A script, or nothing for a plain command; what it is given; and who waits for the answer."""


def _constants() -> str:
    """Return the numbers of the model as Lua, times in microseconds."""
    seconds = {
        "CLAIM": model.CLAIM_SECONDS,
        "ARRIVAL": model.ARRIVAL_SECONDS,
        "PAGE_ARRIVAL": model.PAGE_ARRIVAL_SECONDS,
        "EXPIRY": model.EXPIRY_SECONDS,
        "FRESH": model.FRESH_SECONDS,
        "FIRST_ASIDE": model.FIRST_ASIDE_SECONDS,
        "LONGEST_ASIDE": model.LONGEST_ASIDE_SECONDS,
        "UNUSED": model.UNUSED_SECONDS,
    }
    numbers = {
        "MAX_SELECTORS": model.MAX_SELECTORS,
        "MAX_AVOIDED": model.MAX_AVOIDED,
        "EXACT_POSITIONS": model.EXACT_POSITIONS,
        "LOOK_AHEAD": model.LOOK_AHEAD,
        **{name: round(value * 1e6) for name, value in seconds.items()},
    }
    return " ".join(f"local {name} = {value}" for name, value in numbers.items())


@cache
def script_text(name: str) -> str:
    """Return a script as Redis gets it: the constants, the common steps, and its own part."""
    folder = files("pixelfleet.fleet").joinpath("lua")
    common = folder.joinpath("common.lua").read_text(encoding="utf-8")
    own = folder.joinpath(f"{name}.lua").read_text(encoding="utf-8")
    return f"{_constants()}\n{common}\n{own}"


class RedisLink:
    """Runs the scripts of `lua/`, between `start` and `stop`."""

    def __init__(self, connect: Callable[[], Redis], prefix: str, clock: Callable[[], float] | None = None) -> None:
        self._connect = connect
        self._prefix = prefix
        self._clock = clock
        self._redis: Redis | None = None
        self._connection: AbstractConnection | None = None
        self._hashes: dict[str, str] = {}
        self._calls: list[Call] = []
        self._wake = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None
        self._retry_at = 0.0
        self._retry = FIRST_RETRY_SECONDS
        self._why = "not connected"
        self._closed = False
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin to send."""
        self._sender = asyncio.create_task(self._send())

    async def stop(self) -> None:
        """Send nothing more; what waits fails."""
        self._closed = True
        if self._sender is not None:
            self._sender.cancel()
            with suppress(asyncio.CancelledError):
                await self._sender
        await self._drop()

    async def run(self, script: str, *words: Word) -> Any:
        """Run a script; raise StoreUnavailableError when Redis cannot be reached, or does not do what it is asked."""
        if self._closed:
            raise StoreUnavailableError("closed")
        encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        future = self._loop.create_future()
        self._calls.append((script, encoded, future))
        self._wake.set()
        return await future

    async def read(self, *commands: tuple[Word, ...]) -> list[Any]:
        """Run plain commands that only read, on the same connection but not atomically."""
        return list(await asyncio.gather(*(self.run("", *command) for command in commands)))

    # -- inside -------------------------------------------------------------------------------------

    def _time(self) -> str:
        return "" if self._clock is None else str(round(self._clock() * 1e6))

    async def _send(self) -> None:
        try:
            while True:
                await self._wake.wait()
                await asyncio.sleep(GATHER_SECONDS)
                batch, self._calls = self._calls[:MAX_BATCH], self._calls[MAX_BATCH:]
                if not self._calls:
                    self._wake.clear()
                try:
                    if self._connection is not None or self._loop.time() >= self._retry_at:
                        await self._exchange(batch)
                except (RedisError, OSError) as error:
                    await self._lost(error)
                finally:
                    self._fail(batch)
        finally:
            self._closed = True
            self._fail(self._calls)

    async def _exchange(self, batch: list[Call]) -> None:
        if self._connection is None:
            await self._introduce()
        replies = await self._ask(*map(self._command, batch))
        missing = [number for number, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if missing:
            await self._load()
            again = await self._ask(*(self._command(batch[number]) for number in missing))
            for number, reply in zip(missing, again, strict=True):
                replies[number] = reply
        for (_, _, future), reply in zip(batch, replies, strict=True):
            if isinstance(reply, Exception):
                await self._refused(reply)
                if not future.done():
                    future.set_exception(StoreUnavailableError(str(reply)))
            elif not future.done():
                future.set_result(reply)

    def _command(self, call: Call) -> list[bytes | str | int]:
        script, words, _ = call
        return ["EVALSHA", self._hashes[script], 1, self._prefix, self._time(), *words] if script else [*words]

    async def _introduce(self) -> None:
        """Connect, and say on which process the store was found before anything else is asked of it.

        redis-py's own clients would connect again by themselves, to whichever process is there then: with a connection
        of our own, each one that is made begins here.
        """
        self._redis = self._connect()  # kept, for a Sentinel's connection asks what made it
        self._connection = self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        await self._connection.connect()
        await self._load()
        (told,) = await self._ask(["INFO", "server"])
        run_id = next(line.partition(b":")[2] for line in told.splitlines() if line.startswith(b"run_id:"))
        (answer,) = await self._ask(["EVALSHA", self._hashes["epoch"], 1, self._prefix, self._time(), run_id])
        if isinstance(answer, Exception):
            raise answer
        self._retry = FIRST_RETRY_SECONDS
        self._why = "not connected"
        log.info("fleet store is connected")

    async def _load(self) -> None:
        texts = [await asyncio.to_thread(script_text, name) for name in SCRIPTS]
        hashes = await self._ask(*(["SCRIPT", "LOAD", text] for text in texts))
        for answer in hashes:
            if isinstance(answer, Exception):
                raise answer
        self._hashes = {name: answer.decode() for name, answer in zip(SCRIPTS, hashes, strict=True)}

    async def _ask(self, *commands: Sequence[bytes | str | int]) -> list[Any]:
        """Send commands together and return their answers; what Redis refuses is an exception among these."""
        connection = self._connection
        assert connection is not None
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        replies: list[Any] = []
        for _ in commands:
            try:
                replies.append(await connection.read_response())
            except ResponseError as error:
                replies.append(error)
        return replies

    async def _refused(self, error: Exception) -> None:
        """Redis answers, but not with what it was asked for. One that is no primary any more is left."""
        if isinstance(error, (BusyLoadingError, ReadOnlyError, RedisConnectionError)):
            self._retry_at = self._loop.time() + FIRST_RETRY_SECONDS
            await self._drop()
        else:
            log.error("fleet store refused", why=str(error))

    async def _lost(self, error: Exception) -> None:
        why = str(error) or type(error).__name__
        if why != self._why:
            log.warning("fleet store cannot be reached", why=why)
        self._why = why
        self._retry_at = self._loop.time() + self._retry * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
        self._retry = min(self._retry * 2, LONGEST_RETRY_SECONDS)
        await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(RedisError, OSError):
                await connection.disconnect(nowait=True)

    def _fail(self, calls: list[Call]) -> None:
        """Answer whoever has no answer yet."""
        why = "closed" if self._closed else self._why
        for _, _, future in calls:
            if not future.done():
                future.set_exception(StoreUnavailableError(why))
