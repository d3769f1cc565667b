"""The websocket of a trunk."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.dial import DialError, time_limit
from pixelfleet.net.trunk.channel import Listener
from pixelfleet.net.trunk.ends import AcceptingTrunk, DiallingTrunk, Trunk
from pixelfleet.net.trunk.frames import MAX_MESSAGE_BYTES, TrunkError
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode

SEND_BUFFER_BYTES: Final = 2 * MAX_MESSAGE_BYTES
"""A trunk that leaves more bytes than this unread is dropped: the process at its other end has stopped."""

log = structlog.get_logger(__name__)

Decide = Callable[[int, str, Mapping[str, str]], Callable[[], object] | None]


def trunk_bounds(handshake_seconds: float) -> Bounds:
    """Return the limits of a trunk's websocket; each channel has the limits of its own client."""
    return Bounds(
        message_bytes=MAX_MESSAGE_BYTES,
        messages_per_second=float("inf"),
        send_buffer_bytes=SEND_BUFFER_BYTES,
        handshake_seconds=handshake_seconds,
    )


class TrunkConnection:
    """The handler of a trunk's websocket: what is sent in one turn of the event loop is one message."""

    def __init__(self, socket: WebSocket, on_closed: Callable[[int, str], None]) -> None:
        self.socket = socket
        self._loop = asyncio.get_running_loop()
        self._on_closed = on_closed
        self._retired = False
        self._trunk: Trunk
        socket.on_control = self._receive

    def __len__(self) -> int:
        """The number of channels."""
        return len(self._trunk)

    def message(self, data: bytes) -> None:
        """Close the trunk: it has no text messages."""
        self._break("a text message")

    def closed(self, code: int, reason: str) -> None:
        """End all channels."""
        self.socket.on_control = None
        self._trunk.lose()
        self._on_closed(code, reason)

    def close(self, why: CloseCode) -> None:
        """Send what is unsent, and close the trunk with all its channels."""
        self._flush()
        self.socket.close(why)

    def retire(self) -> None:
        """Close the trunk once it has no channel."""
        self._retired = True
        self._close_retired()

    def _close_retired(self) -> None:
        if self._retired and not self._trunk:
            self.socket.close(close_codes.NORMAL)

    def _receive(self, data: bytes) -> None:
        try:
            self._trunk.receive(data)
        except TrunkError as error:
            self._break(str(error))
        self._close_retired()

    def _break(self, why: str) -> None:
        log.warning("trunk broken", address=self.socket.address, why=why)
        self.socket.close(close_codes.PROTOCOL_ERROR)

    def _schedule(self) -> None:
        self._loop.call_soon(self._flush)

    def _soon(self, call: Callable[[], None]) -> None:
        self._loop.call_soon(call)

    def _flush(self) -> None:
        for message in self._trunk.take():
            self.socket.send_control(message)
        self._close_retired()


class DialledTrunk(TrunkConnection):
    """A trunk at the service that opens channels."""

    def __init__(self, socket: WebSocket, on_closed: Callable[[int, str], None]) -> None:
        super().__init__(socket, on_closed)
        self._trunk: DiallingTrunk = DiallingTrunk(self._schedule, self._soon, socket.address)

    @property
    def has_room(self) -> bool:
        """Whether a further channel can be opened."""
        return self.socket.is_open and self._trunk.has_room

    async def dial(
        self,
        target: str,
        opened: Callable[[WebSocket], MessageHandler | None],
        bounds: Bounds,
        *,
        headers: Mapping[str, str],
    ) -> WebSocket:
        """Open a channel for a request target such as `/?id=a`, as `pixelfleet.net.dial.dial` opens a connection."""
        loop = asyncio.get_running_loop()
        opening = _Opening(loop.create_future(), opened, bounds)
        give_up = self._trunk.open(target, headers, opening)
        try:
            with time_limit(loop, bounds.handshake_seconds):
                return await opening.answer
        except (TimeoutError, asyncio.CancelledError) as error:
            give_up()
            if opening.socket is not None:  # the answer came in the same turn of the event loop
                opening.socket.abort()
            if isinstance(error, TimeoutError):
                raise DialError("no answer in time") from None
            raise


class _Opening:
    """A channel that is being opened, and the future that a dial awaits."""

    __slots__ = ("_bounds", "_opened", "answer", "message_bytes", "socket")

    def __init__(
        self,
        answer: asyncio.Future[WebSocket],
        opened: Callable[[WebSocket], MessageHandler | None],
        bounds: Bounds,
    ) -> None:
        self.answer = answer
        self.message_bytes = bounds.message_bytes
        self.socket: WebSocket | None = None
        self._opened = opened
        self._bounds = bounds

    def accepted(self) -> Listener:
        """Return the websocket of the channel."""
        self.socket = WebSocket(self._bounds, self._opened)
        if not self.answer.done():
            self.answer.set_result(self.socket)
        return self.socket

    def refused(self, status: int, reason: str) -> None:
        """Fail the dial."""
        if not self.answer.done():
            self.answer.set_exception(DialError(reason, status))


class AcceptedTrunk(TrunkConnection):
    """A trunk at the service that decides on channels."""

    def __init__(self, socket: WebSocket, on_closed: Callable[[int, str], None], decide: Decide) -> None:
        """`decide` calls `accept` or `refuse`, or returns a function that cancels the decision."""
        super().__init__(socket, on_closed)
        self._trunk: AcceptingTrunk = AcceptingTrunk(self._schedule, self._soon, socket.address, decide)
        self.accept = self._trunk.accept
        self.refuse = self._trunk.refuse
