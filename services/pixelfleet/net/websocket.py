"""A websocket of ours, whichever side dialled: whole messages in, whole messages out, every bound kept.

The transport is picows: on the relay path it costs several times less CPU a message than the servers of
aiohttp or websockets (docs/explanation/performance.md has the figures and the command that measures them).
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
"""How long the other side may take to answer our close before the socket is dropped."""

MAX_FRAGMENTS: Final = 1024
"""Fragments of one message: each takes memory beside its content until the last one has come."""

MAX_REASON_BYTES: Final = 123
"""The room that RFC 6455 leaves for the reason in a close frame."""

# An enum's member costs more to find than all else that is done to sort a frame.
_TEXT, _BINARY, _CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
_CLOSE, _PING, _PONG = WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG


class MessageHandler(Protocol):
    """Who is told what happens on a socket. Called from the event loop, never after `closed`."""

    def message(self, data: bytes) -> None:
        """Take one whole message (text and binary frames alike)."""

    def closed(self, code: int, reason: str) -> None:
        """Hear, once, that the socket is gone: with our code when we closed it, else with the other side's."""


class WebSocket(WSListener):
    """One connection: made by an admission or by `dial`, and given its handler when it is open."""

    __slots__ = (
        "_bounds",
        "_bucket",
        "_closing",
        "_handler",
        "_loop",
        "_opened",
        "_parts",
        "_parts_bytes",
        "_transport",
        "_why",
        "awaits_pong",
    )

    def __init__(self, bounds: Bounds, opened: Callable[["WebSocket"], MessageHandler | None]) -> None:
        self._bounds = bounds
        self._opened: Callable[[WebSocket], MessageHandler | None] | None = opened
        self._handler: MessageHandler | None = None
        self._transport: WSTransport | None = None
        self._loop = asyncio.get_running_loop()
        self._bucket = TokenBucket(bounds.messages_per_second, bounds.message_burst)
        """A token for each frame: each message that comes whole, each part of one, each ping and pong."""
        self._parts: list[bytes] | None = None
        self._parts_bytes = 0
        self._why: tuple[int, str] | None = None
        self._closing: Deadlines[WebSocket] | None = None
        self.awaits_pong = False

    # -- what a service calls -----------------------------------------------------------------------

    @property
    def address(self) -> str:
        """The other side's IP address, or an empty string once it is gone."""
        if self._transport is None:
            return ""
        peer = self._transport.underlying_transport.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    @property
    def is_open(self) -> bool:
        """Whether messages can still be sent."""
        return self._transport is not None and self._why is None

    def hand_to(self, handler: MessageHandler) -> None:
        """Let another handler hear what happens from here on."""
        self._handler = handler

    def send(self, data: bytes) -> None:
        """Send one text message; does nothing once the socket is closing."""
        if self._why is None and self._transport is not None:
            self._transport.send(_TEXT, data)

    def ping(self) -> None:
        """Ask for a sign of life; `awaits_pong` is true until it comes."""
        if self._why is None and self._transport is not None:
            self.awaits_pong = True
            self._transport.send_ping()

    def close(self, why: CloseCode, reason: str | None = None) -> None:
        """Close with a code of the catalogue; the socket is dropped when the other side does not answer."""
        self.close_raw(why.code, why.reason if reason is None else reason)

    def close_raw(self, code: int, reason: str) -> None:
        """Close with a code that another server chose, when we only pass it on."""
        if self._why is not None or self._transport is None:
            return
        self._why = (code, reason)
        self._transport.send_close(cast("WSCloseCode", code), fit_reason(reason))  # any number is sent as it is
        self._drop_later()

    def abort(self) -> None:
        """Drop the connection at once, with whatever was still to be sent."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    # -- what picows calls --------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Take the transport and ask the service for a handler."""
        self._transport = transport
        # The transport calls pause_writing when more than this waits to be sent: no check on the hot path.
        transport.underlying_transport.set_write_buffer_limits(high=self._bounds.send_buffer_bytes)
        opened, self._opened = self._opened, None
        if opened is not None:
            self._handler = opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Sort one frame."""
        kind = frame.msg_type
        if kind is _CLOSE:
            self._on_close(transport, frame)
        elif self._why is not None:
            return
        elif not self._bucket.take(self._loop.time()):
            self.close(close_codes.RATE_LIMITED)
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:  # no extension was agreed on that would use them
            self.close(close_codes.PROTOCOL_ERROR)
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

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Tell the handler, once, that it is over."""
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
        """Close for what picows found: a breach of the protocol, or 1011 for an error of ours.

        Nothing that follows is heard or even read: it cannot be told apart, and has no bound.
        """
        told = close_codes.MESSAGE_TOO_BIG if code == close_codes.MESSAGE_TOO_BIG.code else close_codes.PROTOCOL_ERROR
        transport = self._transport
        self.close_raw(code, told.reason if code != INTERNAL_ERROR else "")
        if transport is not None and transport.underlying_transport.is_reading():
            transport.underlying_transport.pause_reading()

    def pause_writing(self) -> None:
        """The other side does not read: it costs us memory, so it goes."""
        if self._why is None:
            self._why = (close_codes.SLOW_CONSUMER.code, close_codes.SLOW_CONSUMER.reason)
        self.abort()

    def resume_writing(self) -> None:
        """Nothing to do: a paused socket is already gone."""

    # -- inside -------------------------------------------------------------------------------------

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
        if self._parts_bytes > self._bounds.message_bytes or len(parts) > MAX_FRAGMENTS:
            self._parts, self._parts_bytes = None, 0
            self.close(close_codes.MESSAGE_TOO_BIG)
        elif frame.fin:
            self._parts, self._parts_bytes = None, 0
            if self._handler is not None:
                self._handler.message(b"".join(parts))

    def _on_close(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._why is None:
            self._why = (int(cast("int", frame.get_close_code())) or close_codes.NO_STATUS, _reason_of(frame))
            transport.send_close(WSCloseCode.OK)
            self._drop_later()
        transport.disconnect()  # once all is sent, which is never if the other side does not read

    def _drop_later(self) -> None:
        self._closing = _closing.of(self._loop)
        self._closing.add(self)


_closing: Final[PerLoop[Deadlines[WebSocket]]] = PerLoop(lambda: Deadlines(CLOSE_GRACE_SECONDS, WebSocket.abort))
"""The sockets that were closed and still wait for the other side's answer."""


def fit_reason(reason: str) -> bytes:
    """Return the reason as bytes that fit a close frame, cut between characters."""
    return reason.encode("utf-8", "replace")[:MAX_REASON_BYTES].decode("utf-8", "ignore").encode()


def _reason_of(frame: WSFrame) -> str:
    return (frame.get_close_message() or b"").decode("utf-8", "replace")


def _why_lost(transport: WSTransport) -> tuple[int, str]:
    """Return why a socket ended that we did not close."""
    handshake = transport.close_handshake
    if handshake is not None and handshake.sent is not None:
        return int(cast("int", handshake.sent.code)), handshake.sent.reason
    return close_codes.ABNORMAL, "connection lost"
