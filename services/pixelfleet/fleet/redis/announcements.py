"""Receives announcements of matches for a replica, over Redis publish/subscribe."""

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
"""After this time without a message a ping is sent; after the same time without a reply the connection is closed."""

log = structlog.get_logger(__name__)


class Announcements:
    """Subscribes for one replica, from the first wait on. A lost announcement delays a match, and never loses it."""

    def __init__(self, connect: Callable[[], Redis], prefix: str) -> None:
        self._connect = connect
        self._prefix = prefix
        self._announced = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Unsubscribe."""
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener

    async def wait(self, replica_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - nothing new is not an error
        """Wait for an announcement; return False after the timeout."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen(replica_id))
        try:
            async with asyncio.timeout(timeout):
                await self._announced.wait()
        except TimeoutError:
            return False
        self._announced.clear()
        return True

    async def _listen(self, replica_id: str) -> None:
        while True:
            redis = self._connect()
            try:
                async with redis.pubsub() as subscription:
                    await subscription.subscribe(f"{self._prefix}wake:{replica_id}")
                    await self._receive(subscription)
            except (RedisError, OSError) as error:
                log.warning("subscription to the fleet store lost", why=str(error))
                self._announced.set()  # the store may be lost: the replica then notices it at once
            finally:
                with suppress(RedisError, OSError):
                    await redis.aclose()
            await asyncio.sleep(RETRY_SECONDS)

    async def _receive(self, subscription: PubSub) -> None:
        pinged = False
        while True:
            message = await subscription.get_message(timeout=QUIET_SECONDS)
            if message is not None:
                pinged = False
                if message["type"] in ("message", "subscribe"):  # earlier announcements may have been missed
                    self._announced.set()
            elif pinged:
                raise RedisConnectionError("no answer")
            else:
                await subscription.ping()
                pinged = True
