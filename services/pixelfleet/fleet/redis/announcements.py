"""Hears, over Redis' publish and subscribe, that something was matched for a replica."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

RETRY_SECONDS: Final = 1.0
QUIET_SECONDS: Final = 10.0
"""After so long without a word Redis is asked whether it is still there, and after twice as long left."""

log = structlog.get_logger(__name__)


class Announcements:
    """Listens for one replica, from the first wait on. A lost announcement costs time, never a match."""

    def __init__(self, connect: Callable[[], Redis], prefix: str) -> None:
        self._connect = connect
        self._prefix = prefix
        self._heard = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Listen no more."""
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener

    async def wait(self, replica_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - nothing new is not an error
        """Wait for an announcement; False when the time is over."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen(replica_id))
        try:
            async with asyncio.timeout(timeout):
                await self._heard.wait()
        except TimeoutError:
            return False
        self._heard.clear()
        return True

    async def _listen(self, replica_id: str) -> None:
        while True:
            redis = self._connect()
            try:
                async with redis.pubsub() as subscription:
                    await subscription.subscribe(f"{self._prefix}wake:{replica_id}")
                    await self._hear(subscription)
            except (RedisError, OSError) as error:
                log.warning("announcements of the fleet store are not heard", why=str(error))
            finally:
                with suppress(RedisError, OSError):
                    await redis.aclose()
            await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, subscription: PubSub) -> None:
        asked = False
        while True:
            message = await subscription.get_message(timeout=QUIET_SECONDS)
            if message is not None:
                asked = False
                if message["type"] in ("message", "subscribe"):  # what was announced before that was not heard
                    self._heard.set()
            elif asked:
                raise RedisConnectionError("no answer")
            else:
                await subscription.ping()
                asked = True
