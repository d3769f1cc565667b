"""Settings of every service that accepts websockets: the limits of one connection."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from pixelfleet.net.bounds import Bounds
from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.values import Bytes, Seconds


class PeerSettings(ServiceSettings):
    """Limits of one connection. A breach closes that connection alone, with the close code that is named here."""

    sections: ClassVar[Mapping[str, str]] = {"max_message_bytes": "Limits of a connection"}

    max_message_bytes: Bytes = Field(
        262144, ge=1024, description="A message larger than this closes its sender's connection with code 1009."
    )
    max_messages_per_second: float = Field(
        2000, gt=0, description="A client that sends more messages per second than this is closed with code 4104."
    )
    max_message_burst: float = Field(
        10000, ge=1, description="A client may send this many messages at once before the rate limit applies."
    )
    send_buffer_bytes: Bytes = Field(
        1048576, ge=4096, description="A client that leaves more bytes than this unread is closed with code 4003."
    )
    handshake_seconds: Seconds = Field(
        10.0, gt=0, description="A connection that has not sent its request after this time is dropped."
    )
    hold_seconds: Seconds = Field(
        3.0,
        ge=0,
        le=60,
        description="A client whose connections were refused or closed within 2 s more than ten times in a row is "
        "answered later and later, at most by this time. 0 disables this.",
    )
    dial_seconds: Seconds = Field(
        5.0, gt=0, description="A server that has not accepted a connection after this time counts as unreachable."
    )
    ping_interval: Seconds = Field(20.0, gt=0, description="The service pings each client at this interval.")
    pong_timeout: Seconds = Field(
        10.0, gt=0, description="A client that has not answered a ping after this time is closed with code 4002."
    )

    def bounds(self) -> Bounds:
        """Return the limits of a client's connection."""
        return Bounds(
            message_bytes=self.max_message_bytes,
            messages_per_second=self.max_messages_per_second,
            message_burst=self.max_message_burst,
            send_buffer_bytes=self.send_buffer_bytes,
            handshake_seconds=self.handshake_seconds,
            hold_seconds=self.hold_seconds,
        )

    def upstream_bounds(self) -> Bounds:
        """Return the limits of a connection to another service: it carries many clients and has no rate limit."""
        return Bounds(
            message_bytes=self.max_message_bytes,
            messages_per_second=float("inf"),
            send_buffer_bytes=self.send_buffer_bytes * 16,
            handshake_seconds=self.dial_seconds,
        )
