"""The websocket to the signalling server: dialled, and dialled again whenever it goes away."""

import asyncio
import random
from collections.abc import Iterator
from typing import Final, Protocol
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from pixelfleet.protocol.messages import Message, dump

FIRST_DELAY: Final = 0.25
LONGEST_DELAY: Final = 10.0

SETTLED_SECONDS: Final = 5.0
"""A connection that held this long was a success: the next delay is the first one again."""

MAX_MESSAGE_BYTES: Final = 256 * 1024
"""The largest message that the server may send; a larger one closes the connection."""

OPEN_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


def backoff(chance: random.Random) -> Iterator[float]:
    """Yield the seconds to wait before each attempt: doubling up to ten, less up to half by chance.

    The chance keeps a fleet of streamers from coming back all at once when their server returns.
    """
    longest = FIRST_DELAY
    while True:
        yield longest * chance.uniform(0.5, 1.0)
        longest = min(2 * longest, LONGEST_DELAY)


def shown(url: str) -> str:
    """Return what may be logged of the server's address: a user or a query can hold the streamer's token."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


class Handler(Protocol):
    """Who is told what the server says."""

    async def message(self, data: bytes) -> None:
        """Take one message."""

    async def disconnected(self) -> None:
        """Hear that the server is gone; it is dialled again once this returns."""


class SignallingLink:
    """The connection to one server."""

    def __init__(self, url: str, chance: random.Random | None = None) -> None:
        self._url = url
        # The delays are no secret.
        self._chance = chance or random.Random()  # noqa: S311
        self._socket: ClientConnection | None = None
        self.dials = 0
        """How often the server was dialled."""

    async def send(self, message: Message) -> None:
        """Send a message; without a connection it is dropped, since it was meant for the one that is gone."""
        if self._socket is None:
            return
        try:
            await self._socket.send(dump(message), text=True)
        except ConnectionClosed:
            log.debug("message not sent: the signalling server is gone", type=message["type"])

    async def run(self, handler: Handler) -> None:
        """Stay connected and hand over what the server says; until cancelled."""
        loop = asyncio.get_running_loop()
        delays = backoff(self._chance)
        while True:
            self.dials += 1
            started = loop.time()
            reason = await self._converse(handler)
            if loop.time() - started >= SETTLED_SECONDS:
                delays = backoff(self._chance)
            delay = next(delays)
            log.warning(
                "no signalling server", url=shown(self._url), reason=reason, next_attempt_seconds=round(delay, 2)
            )
            await asyncio.sleep(delay)

    async def _converse(self, handler: Handler) -> str:
        """Dial once and hand over what the server says until it is gone; return why it is."""
        try:
            async with connect(
                self._url,
                compression=None,
                # A streamer stands beside its signalling server, or in the same cluster.
                proxy=None,
                max_size=MAX_MESSAGE_BYTES,
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
            ) as socket:
                self._socket = socket
                log.info("connected to the signalling server", url=shown(self._url))
                try:
                    while True:
                        await handler.message(await socket.recv(decode=False))
                except asyncio.CancelledError:
                    # Ended as it should be: left to itself the library says "internal error".
                    await socket.close()
                    raise
        except ConnectionClosed as closed:
            return f"closed with {closed.rcvd.code} {closed.rcvd.reason}" if closed.rcvd else "the connection broke"
        except (OSError, InvalidHandshake) as error:
            return str(error) or type(error).__name__
        finally:
            self._socket = None
            await handler.disconnected()
