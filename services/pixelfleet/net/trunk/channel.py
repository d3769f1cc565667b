"""A channel: the websocket of one client on a trunk. No I/O."""

from collections.abc import Callable
from typing import Any, Final, Protocol, cast

import structlog
from picows import WSMsgType

from pixelfleet.net.trunk.frames import MAX_CONTENT_BYTES
from pixelfleet.protocol import close_codes

INTERNAL_ERROR: Final = 1011

_CLOSE, _PING, _PONG = WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG

log = structlog.get_logger(__name__)


class Carrier(Protocol):
    """The trunk of a channel."""

    address: str
    """The IP address of the other side."""

    def send(self, number: int, kind: int, content: bytes = b"") -> None:
        """Send a frame of a channel."""

    def end(self, number: int, *, silent: bool) -> None:
        """End a channel; `silent` if the other side knows of it."""


class Listener(Protocol):
    """The user of a channel: a `WebSocket`."""

    def on_ws_connected(self, transport: Any) -> None:
        """Handle the opening of the channel."""

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """Handle one frame."""

    def on_ws_disconnected(self, transport: Any) -> None:
        """Handle the end of the channel, once."""

    def broken(self, code: int) -> None:
        """Close after an error."""


class ChannelFrame:
    """One complete frame of a websocket, with the attributes of picows' frame."""

    __slots__ = ("_content", "msg_type")

    fin = True
    rsv1 = rsv2 = rsv3 = False

    def __init__(self, kind: WSMsgType, content: bytes) -> None:
        self.msg_type = kind
        self._content = content

    @property
    def payload_size(self) -> int:
        """The length of the content in bytes."""
        return len(self._content)

    def get_payload_as_bytes(self) -> bytes:
        """Return the content."""
        return self._content

    def get_close_code(self) -> int:
        """Return the code of a close frame; 0 for one without a code."""
        return int.from_bytes(self._content[:2]) if len(self._content) >= 2 else 0

    def get_close_message(self) -> bytes:
        """Return the reason of a close frame."""
        return self._content[2:]


class Channel:
    """One websocket on a trunk: has the methods that `WebSocket` needs of picows' transport and of its connection."""

    __slots__ = ("_close_received", "_close_sent", "_listener", "_message_bytes", "_muted", "_number", "_trunk")

    close_handshake = None

    def __init__(self, trunk: Carrier, number: int, listener: Listener, message_bytes: int) -> None:
        self._trunk = trunk
        self._number = number
        self._listener = listener
        self._message_bytes = message_bytes
        self._close_sent = self._close_received = False
        self._muted = False
        """Whether further frames are ignored."""

    # -- picows' transport --------------------------------------------------------------------------

    @property
    def underlying_transport(self) -> "Channel":
        """The connection, for its properties and limits."""
        return self

    def send(self, kind: WSMsgType, content: bytes) -> None:
        """Send one frame. A message that is too long for a trunk ends the channel."""
        if len(content) > MAX_CONTENT_BYTES:
            self.disconnect()
            return
        if kind is _CLOSE:
            self._close_sent = True
        self._trunk.send(self._number, cast("int", kind), content)

    def send_ping(self, content: bytes = b"") -> None:
        """Send a ping."""
        self._trunk.send(self._number, cast("int", _PING), content)

    def send_pong(self, content: bytes = b"") -> None:
        """Send a pong."""
        self._trunk.send(self._number, cast("int", _PONG), content)

    def send_close(self, code: int, reason: bytes = b"") -> None:
        """Send a close frame."""
        self.send(_CLOSE, int(code).to_bytes(2) + reason)

    def disconnect(self, graceful: bool = True) -> None:
        """End the channel. Frames that were sent before are delivered first."""
        self._trunk.end(self._number, silent=self._close_sent and self._close_received)

    # -- the connection below it --------------------------------------------------------------------

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return the address of the trunk's other side as `peername`."""
        return (self._trunk.address, 0) if name == "peername" and self._trunk.address else default

    def set_write_buffer_limits(self, high: int | None = None) -> None:
        """Do nothing: the trunk has a limit for all channels."""

    def is_reading(self) -> bool:
        """Return whether frames are delivered."""
        return not self._muted

    def pause_reading(self) -> None:
        """Ignore further frames."""
        self._muted = True

    # -- the trunk ----------------------------------------------------------------------------------

    def connected(self) -> None:
        """Notify the user that the channel is open."""
        self._guarded(lambda: self._listener.on_ws_connected(self))

    def receive(self, kind: WSMsgType, content: bytes) -> None:
        """Pass a frame on. An error of the user ends this channel, and no other one."""
        if kind is _CLOSE:
            self._close_received = True
        if self._muted:
            return
        if len(content) > self._message_bytes:
            self._listener.broken(close_codes.MESSAGE_TOO_BIG.code)
            return
        try:
            self._listener.on_ws_frame(self, ChannelFrame(kind, content))
        except Exception as error:
            log.error("channel failed", exc_info=error)
            self._listener.broken(INTERNAL_ERROR)

    def ended(self) -> None:
        """Notify the user that the channel has ended."""
        self._muted = True
        self._guarded(lambda: self._listener.on_ws_disconnected(self))

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            log.error("channel failed", exc_info=error)
            self.disconnect()
