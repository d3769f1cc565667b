"""A websocket, accepted or dialled: receives and sends complete messages and enforces its limits.

The transport is picows: relaying a message costs a fraction of the CPU time that aiohttp or websockets need
(docs/explanation/performance.md has the figures and the command).
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.limits import TokenBucket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.service.deadlines import Deadlines, PerLoop

INTERNAL_ERROR: Final = 1011

CLOSE_GRACE_SECONDS: Final = 2.0
"""Time for the other side to answer a close before the connection is dropped."""

MAX_FRAGMENTS: Final = 1024
"""The most fragments of one message: each one takes memory in addition to its content."""

LOST: Final = (close_codes.ABNORMAL, "connection lost")
"""Code and reason of a connection that ended without a close frame."""

MAX_REASON_BYTES: Final = 123
"""The longest reason that fits a close frame (RFC 6455)."""

# The lookup of an enum member costs more than the rest of the dispatch of a frame.
_TEXT, _BINARY, _CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
_CLOSE, _PING, _PONG = WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG


class MessageHandler(Protocol):
    """Handles the messages and the close of a websocket. Called from the event loop, never after `closed`."""

    def message(self, data: bytes) -> None:
        """Handle one complete message, text or binary."""

    def closed(self, code: int, reason: str) -> None:
        """Handle the close, once: with the code of the side that closed first."""


class WebSocket(WSListener):
    """One connection, created by an admission or by `dial`; `opened` returns its handler when it is open."""

    __slots__ = (
        "_bounds",
        "_bucket",
        "_closing",
        "_fragments_bytes",
        "_handler",
        "_loop",
        "_opened",
        "_parts",
        "_parts_bytes",
        "_transport",
        "_why",
        "awaits_pong",
        "on_close",
        "on_control",
        "on_pong",
    )

    def __init__(self, bounds: Bounds, opened: Callable[["WebSocket"], MessageHandler | None]) -> None:
        self._bounds = bounds
        self._opened: Callable[[WebSocket], MessageHandler | None] | None = opened
        self._handler: MessageHandler | None = None
        self._transport: WSTransport | None = None
        self._loop = asyncio.get_running_loop()
        self._bucket = TokenBucket(bounds.messages_per_second, bounds.message_burst)
        """One token per frame: a message, a fragment, a ping or a pong."""
        self._parts: list[bytes] | None = None
        self._parts_bytes = 0
        self._fragments_bytes = bounds.message_bytes
        """The limit of a message in fragments, which are kept here until the last one arrives."""
        self._why: tuple[int, str] | None = None
        self._closing: Deadlines[WebSocket] | None = None
        self.awaits_pong = False
        self.on_close: Callable[[], None] | None = None
        """Called when this side closes the connection."""
        self.on_pong: Callable[[], None] | None = None
        """Called for each pong."""
        self.on_control: Callable[[bytes], None] | None = None
        """Called for each binary message in one frame, which the handler then does not get."""

    # -- interface for services ---------------------------------------------------------------------

    @property
    def address(self) -> str:
        """The other side's IP address; an empty string after the connection is lost."""
        if self._transport is None:
            return ""
        peer = self._transport.underlying_transport.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    @property
    def is_open(self) -> bool:
        """Whether messages can still be sent."""
        return self._transport is not None and self._why is None

    @property
    def ended(self) -> tuple[int, str]:
        """Code and reason of the close that has begun; those of a lost connection before that."""
        return self._why or LOST

    def limit_fragments(self, size: int) -> None:
        """Limit a message in fragments to `size` bytes, or to the usual limit if that is lower."""
        self._fragments_bytes = min(size, self._bounds.message_bytes)

    def hand_to(self, handler: MessageHandler | None) -> None:
        """Replace the handler; without one, all messages and the close are ignored."""
        self._handler = handler

    def send(self, data: bytes) -> None:
        """Send one text message; do nothing if the socket is closing or closed."""
        if self._why is None and self._transport is not None:
            self._transport.send(_TEXT, data)

    def send_control(self, data: bytes) -> None:
        """Send one binary message. No other method sends one, so that a relayed message never is a control message."""
        if self._why is None and self._transport is not None:
            self._transport.send(_BINARY, data)

    def ping(self) -> None:
        """Send a ping; `awaits_pong` is true until the pong arrives."""
        if self._why is None and self._transport is not None:
            self.awaits_pong = True
            self._transport.send_ping()

    def close(self, why: CloseCode, reason: str | None = None) -> None:
        """Close with a code of the catalogue; the connection is dropped if the other side does not answer."""
        self.close_raw(why.code, why.reason if reason is None else reason)

    def close_raw(self, code: int, reason: str) -> None:
        """Close with any code, such as that of an upstream."""
        if self._why is not None or self._transport is None:
            return
        self._why = (code, reason)
        if self.on_close is not None:
            self.on_close()
        self._transport.send_close(cast("WSCloseCode", code), fit_reason(reason))  # picows sends any number
        self._drop_later()

    def abort(self) -> None:
        """Drop the connection immediately, with all unsent data."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    # -- interface for picows -----------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Store the transport and get the handler from the service."""
        self._transport = transport
        # The transport calls pause_writing above this limit, so that `send` needs no check.
        transport.underlying_transport.set_write_buffer_limits(high=self._bounds.send_buffer_bytes)
        opened, self._opened = self._opened, None
        if opened is not None:
            self._handler = opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Dispatch one frame by its type."""
        kind = frame.msg_type
        if kind is _CLOSE:
            self._on_close(transport, frame)
        elif self._why is not None:
            return
        elif not self._bucket.take(self._loop.time()):
            self.close(close_codes.RATE_LIMITED)
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:  # no extension is negotiated
            self.close(close_codes.PROTOCOL_ERROR)
        elif kind is _BINARY and self.on_control is not None and frame.fin and self._parts is None:
            self.on_control(frame.get_payload_as_bytes())
        elif kind is _TEXT or kind is _BINARY:
            if frame.fin and self._parts is None:
                if self._handler is not None:
                    self._handler.message(frame.get_payload_as_bytes())
            else:
                self._fragment(frame, first=True)
        elif kind is _CONTINUATION:
            self._fragment(frame, first=False)
        elif kind is _PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind is _PONG:
            self.awaits_pong = False
            if self.on_pong is not None:
                self.on_pong()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Notify the handler of the close, once."""
        self._transport = None
        self._parts = None
        if self._closing is not None:
            self._closing.discard(self)
            self._closing = None
        code, reason = self._why or _why_lost(transport)
        self._why = (code, reason)
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.closed(code, reason)

    def broken(self, code: int) -> None:
        """Close after an error that picows has found: a protocol error, or 1011 for an exception of the handler.

        Reading stops: the frames that follow cannot be parsed, and no limit would apply to them.
        """
        why = close_codes.MESSAGE_TOO_BIG if code == close_codes.MESSAGE_TOO_BIG.code else close_codes.PROTOCOL_ERROR
        transport = self._transport
        self.close_raw(code, why.reason if code != INTERNAL_ERROR else "")
        if transport is not None and transport.underlying_transport.is_reading():
            transport.underlying_transport.pause_reading()

    def pause_writing(self) -> None:
        """Drop the connection: the other side does not read, and its send buffer is full."""
        if self._why is None:
            self._why = (close_codes.SLOW_CONSUMER.code, close_codes.SLOW_CONSUMER.reason)
        self.abort()

    def resume_writing(self) -> None:
        """Do nothing: `pause_writing` has dropped the connection."""

    # -- internals ----------------------------------------------------------------------------------

    def _fragment(self, frame: WSFrame, *, first: bool) -> None:
        parts = self._parts
        if first:
            if parts is not None:
                self.close(close_codes.PROTOCOL_ERROR)
                return
            parts = self._parts = []
        elif parts is None:
            self.close(close_codes.PROTOCOL_ERROR)
            return
        parts.append(frame.get_payload_as_bytes())
        self._parts_bytes += frame.payload_size
        if self._parts_bytes > self._fragments_bytes or len(parts) > MAX_FRAGMENTS:
            self._parts, self._parts_bytes = None, 0
            self.close(close_codes.MESSAGE_TOO_BIG)
        elif frame.fin:
            self._parts, self._parts_bytes = None, 0
            if self._handler is not None:
                self._handler.message(b"".join(parts))

    def _on_close(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._why is None:
            self._why = (int(cast("int", frame.get_close_code())) or close_codes.NO_STATUS, _reason_of(frame))
            self._echo(transport, self._why[0])
            self._drop_later()
        transport.disconnect()  # after all data is sent; `_drop_later` bounds that

    def _echo(self, transport: WSTransport, code: int) -> None:
        """Answer the close of the other side with its own code. A browser reports the code of the answer to its page.

        A close without a code is answered without one.
        """
        if code == close_codes.NO_STATUS:
            transport.send(_CLOSE, b"")
        else:
            sent = code if close_codes.may_be_sent(code) else close_codes.PROTOCOL_ERROR.code
            transport.send_close(cast("WSCloseCode", sent))

    def _drop_later(self) -> None:
        self._closing = _closing.of(self._loop)
        self._closing.add(self)


_closing: Final[PerLoop[Deadlines[WebSocket]]] = PerLoop(lambda: Deadlines(CLOSE_GRACE_SECONDS, WebSocket.abort))
"""The closed sockets that await the other side's answer."""


def fit_reason(reason: str) -> bytes:
    """Return the reason as UTF-8, cut between characters to fit a close frame."""
    return reason.encode("utf-8", "replace")[:MAX_REASON_BYTES].decode("utf-8", "ignore").encode()


def _reason_of(frame: WSFrame) -> str:
    return (frame.get_close_message() or b"").decode("utf-8", "replace")


def _why_lost(transport: WSTransport) -> tuple[int, str]:
    """Return code and reason of a connection that this side did not close."""
    handshake = transport.close_handshake
    if handshake is not None and handshake.sent is not None:
        return int(cast("int", handshake.sent.code)), handshake.sent.reason
    return LOST
