"""Limits of a websocket connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one peer's connection. A breach closes that connection alone."""

    message_bytes: int = 256 * 1024
    messages_per_second: float = 2_000.0
    message_burst: float = 10_000.0
    send_buffer_bytes: int = 1024 * 1024
    handshake_seconds: float = 10.0
    hold_seconds: float = 3.0
    """How long the answer to a client whose connections end at once is held back at most (`damping`); 0 for never."""
    response_seconds: float = 60.0
    """How long an HTTP client may take to read a response; longer if it reads steadily (`http_connections`)."""
