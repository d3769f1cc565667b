"""One websocket of a load test's peer."""

import asyncio
from collections.abc import Callable
from typing import Final

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.messages import BadMessageError, Message, dump, parse
from pixelfleet_cli.loadtest.core import errors

BOUNDS: Final = Bounds()


class Leg:
    """A websocket from its dial to its end; messages go to `take`, and `news` is called after the end."""

    def __init__(self, take: Callable[[Message], None], news: "News", sockets: "Sockets") -> None:
        self._take: Callable[[Message], None] | None = take
        self._news, self._sockets = news, sockets
        self._socket: WebSocket | None = None
        self.code: str | None = None
        """The code of the end; None while the websocket is open."""
        self.close_code = 0

    async def dial(self, url: str) -> bool:
        """Connect; return whether that worked, otherwise `code` has the reason."""
        try:
            await dial(url, self._opened, BOUNDS)
        except DialError as error:
            self.code = self.code or errors.of_dial(error.status, str(error))
        return self.code is None

    def send(self, message: Message) -> None:
        """Send a message, if the websocket is open."""
        if self._socket is not None:
            self._socket.send(dump(message))

    def drop(self) -> None:
        """Cut the connection without a close."""
        if self._socket is not None:
            self._take = None
            self._socket.abort()

    def close(self) -> None:
        """Close with 1000, as a page that its visitor leaves; the answer is not awaited."""
        if self._socket is not None:
            self._take = None
            self._socket.close(close_codes.NORMAL)

    def _opened(self, socket: WebSocket) -> "Leg":
        # The first messages may arrive before `dial` returns.
        self._socket = socket
        self._sockets.open += 1
        return self

    # -- interface for the websocket ----------------------------------------------------------------

    def message(self, data: bytes) -> None:
        """Pass on a message of the protocol, and ignore any other."""
        if self._take is None:
            return
        try:
            message = parse(data)
        except BadMessageError:
            return
        self._take(message)

    def closed(self, code: int, reason: str) -> None:
        """Record the end."""
        self.code, self.close_code = errors.of_close(code), code
        self._sockets.open -= 1
        self._sockets.changed()
        self._news()


class News:
    """Wakes a task when something has changed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        """Wake the task."""
        self._event.set()

    async def until(self, condition: Callable[[], object], deadline: float) -> bool:
        """Wait for a condition until a time of the loop; return whether it holds."""
        try:
            async with asyncio.timeout_at(deadline if deadline < float("inf") else None):
                while not condition():
                    self._event.clear()
                    await self._event.wait()
        except TimeoutError:
            return bool(condition())
        return True


class Sockets:
    """The open websockets of a test."""

    def __init__(self) -> None:
        self.open = 0
        self.changed = News()

    async def all_closed(self, deadline: float) -> None:
        """Wait until all are closed, or until a time of the loop."""
        await self.changed.until(lambda: self.open <= 0, deadline)
