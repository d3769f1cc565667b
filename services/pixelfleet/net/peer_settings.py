"""Settings of every service that holds websockets of strangers: what one peer may cost."""

from pydantic import Field

from pixelfleet.net.websocket import Bounds
from pixelfleet.service.settings import ServiceSettings


class PeerSettings(ServiceSettings):
    """Bounds of a peer's connection. A breach closes that peer alone, with the code named here."""

    max_message_bytes: int = Field(262144, ge=1024, description="a larger message closes its sender with 1009")
    max_messages_per_second: float = Field(2000, gt=0, description="a faster peer is closed with 4104")
    max_message_burst: float = Field(10000, ge=1, description="messages that may come at once before that")
    send_buffer_bytes: int = Field(1048576, ge=4096, description="a peer with more unread is closed with 4003")
    handshake_seconds: float = Field(10.0, gt=0, description="a connection that has not asked by then is dropped")
    dial_seconds: float = Field(5.0, gt=0, description="a server that has not answered by then counts as away")
    ping_interval: float = Field(20.0, gt=0, description="seconds between pings to each peer")
    pong_timeout: float = Field(10.0, gt=0, description="a peer that has not answered by then is closed with 4002")

    def bounds(self) -> Bounds:
        """Return the bounds of a stranger's connection."""
        return Bounds(
            message_bytes=self.max_message_bytes,
            messages_per_second=self.max_messages_per_second,
            message_burst=self.max_message_burst,
            send_buffer_bytes=self.send_buffer_bytes,
            handshake_seconds=self.handshake_seconds,
        )

    def upstream_bounds(self) -> Bounds:
        """Return the bounds of a connection to one of our own, which speaks for others and has no rate limit."""
        return Bounds(
            message_bytes=self.max_message_bytes,
            messages_per_second=float("inf"),
            send_buffer_bytes=self.send_buffer_bytes * 16,
            handshake_seconds=self.dial_seconds,
        )
