"""Confirms that a page is there once its player is connected to a streamer.

A browser may keep a page whose scripts do not run, with its websocket open, and answer pings for it: in the
back/forward cache, in a frozen tab. So a page confirms its match by a message. Nearly all pages send one as soon as
they have the server's `config`. A page that is silent for half of the time is sent a JSON `ping`, which pages of Epic's
library from 5.2 on answer. One that is still silent at the end is passed over.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol.messages import dump, is_pong
from pixelfleet.service.deadlines import Deadlines, PerLoop

EXCUSED_SECONDS: Final = 60.0
"""The longest time for which a page may wait for a message that it answers, as with --first-media-seconds."""

PING: Final = dump({"type": "ping", "time": 0})

_deadlines: Final[PerLoop[dict[float, "Deadlines[Confirmation]"]]] = PerLoop(dict)


def _never() -> bool:
    return False


class Confirmation:
    """The handler of a player's socket from the connection to its streamer until its page has sent a message."""

    __slots__ = ("_deadlines", "_excuses", "_handler", "_passed_over", "_pinged", "_socket", "excused")

    def __init__(
        self,
        socket: WebSocket,
        handler: MessageHandler,
        seconds: float,
        passed_over: Callable[[], None],
    ) -> None:
        """Give the socket to `handler` after the first message; call `passed_over` if none comes within `seconds`."""
        self._socket = socket
        self._handler = handler
        self._passed_over = passed_over
        self.excused: Callable[[], bool] = _never
        """Whether the page waits for a message of its server: the time does not run then, for EXCUSED_SECONDS."""
        self._excuses = int(2 * EXCUSED_SECONDS / seconds)
        self._pinged = False
        by_seconds = _deadlines.of(asyncio.get_running_loop())
        if seconds not in by_seconds:
            by_seconds[seconds] = Deadlines(seconds / 2, Confirmation._due)
        self._deadlines = by_seconds[seconds]

    def begin(self) -> None:
        """Take the socket and start the time."""
        self._socket.hand_to(self)
        self._deadlines.add(self)

    def restart(self) -> None:
        """Start the time again: the page has been sent a message that it answers."""
        if self in self._deadlines:
            self._pinged = False
            self._deadlines.discard(self)
            self._deadlines.add(self)

    def cancel(self) -> None:
        """Give the socket to its handler without a confirmation."""
        self._deadlines.discard(self)
        self._socket.hand_to(self._handler)

    def message(self, data: bytes) -> None:
        """Confirm the page, and pass its message on, unless that only answers the `ping` of this class."""
        self.cancel()
        if not (self._pinged and is_pong(data)):
            self._handler.message(data)

    def closed(self, code: int, reason: str) -> None:
        """Handle the close of the player's socket."""
        self._deadlines.discard(self)
        self._handler.closed(code, reason)

    def _due(self) -> None:
        if not self._socket.is_open:
            return
        if self._excuses and self.excused():
            self._excuses -= 1
        elif not self._pinged:
            self._pinged = True
            self._socket.send(PING)
        else:
            self.cancel()
            self._passed_over()
            return
        self._deadlines.add(self)
