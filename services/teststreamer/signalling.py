"""The websocket to the signalling server, with reconnects."""

import asyncio
import random
from typing import Final, Protocol
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from pixelfleet.protocol.messages import Message, dump
from pixelfleet.service.backoff import Backoff

BACKOFF: Final = Backoff(first=0.25, longest=10.0)

SETTLED_SECONDS: Final = 5.0
"""A connection that lasted this long resets the backoff."""

MAX_MESSAGE_BYTES: Final = 256 * 1024
"""The largest accepted message; a larger one closes the connection."""

OPEN_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


def shown(url: str) -> str:
    """Return the server's URL for the log, without user and query, which can contain the streamer's token."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


class Handler(Protocol):
    """The receiver of the server's messages."""

    async def message(self, data: bytes) -> None:
        """Handle one message."""

    async def disconnected(self) -> None:
        """Handle the end of the connection; the next dial follows when this returns."""


class SignallingLink:
    """The connection to one server."""

    def __init__(self, url: str, chance: random.Random | None = None) -> None:
        self._url = url
        # Backoff delays need no secure random numbers.
        self._chance = chance or random.Random()  # noqa: S311
        self._socket: ClientConnection | None = None
        self.dials = 0
        """The number of dials."""

    async def send(self, message: Message) -> None:
        """Send a message; without a connection it is dropped, because it belonged to the one that ended."""
        if self._socket is None:
            return
        try:
            await self._socket.send(dump(message), text=True)
        except ConnectionClosed:
            log.debug("message not sent: the signalling server is gone", type=message["type"])

    async def run(self, handler: Handler) -> None:
        """Stay connected and pass messages to the handler until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            self.dials += 1
            started = loop.time()
            reason = await self._converse(handler)
            if loop.time() - started >= SETTLED_SECONDS:
                failures = 0
            failures += 1
            delay = BACKOFF.delay(failures, self._chance.random())
            log.warning(
                "signalling server unavailable",
                url=shown(self._url),
                reason=reason,
                next_attempt_seconds=round(delay, 2),
            )
            await asyncio.sleep(delay)

    async def _converse(self, handler: Handler) -> str:
        """Dial once and pass messages to the handler until the connection ends; return the reason for the end."""
        try:
            async with connect(
                self._url,
                compression=None,
                # The signalling server runs in the same pod or cluster.
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
                    # Close normally; the library would close with "internal error".
                    await socket.close()
                    raise
        except ConnectionClosed as closed:
            return f"closed with {closed.rcvd.code} {closed.rcvd.reason}" if closed.rcvd else "the connection broke"
        except (OSError, InvalidHandshake) as error:
            return str(error) or type(error).__name__
        finally:
            self._socket = None
            await handler.disconnected()
