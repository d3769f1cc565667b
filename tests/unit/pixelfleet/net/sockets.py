"""Fake sockets that record calls, for logic without a network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from pixelfleet.net.websocket import LOST, MessageHandler, WebSocket
from pixelfleet.protocol.close_codes import CloseCode


@dataclass(eq=False)
class FakeSocket:
    """Replaces a `WebSocket`."""

    is_open: bool = True
    awaits_pong: bool = False
    answers: bool = True
    """Whether each ping is answered immediately."""
    sent: list[bytes] = field(default_factory=list)
    closes: list[tuple[int, str]] = field(default_factory=list)
    pings: int = 0
    on_pong: Callable[[], None] | None = None
    on_control: Callable[[bytes], None] | None = None
    controls: list[bytes] = field(default_factory=list)
    """The control messages that were sent."""
    handler: MessageHandler | None = None
    """The handler that was last set."""
    fragments_bytes: int | None = None
    """The limit of a message in fragments, if one was set."""
    ended: tuple[int, str] = LOST
    """Code and reason of the close."""

    @property
    def real(self) -> WebSocket:
        """The object itself, typed as the `WebSocket` that it replaces."""
        return cast("WebSocket", self)

    def limit_fragments(self, size: int) -> None:
        self.fragments_bytes = size

    def send(self, data: bytes) -> None:
        if self.is_open:
            self.sent.append(data)

    def send_control(self, data: bytes) -> None:
        if self.is_open:
            self.controls.append(data)

    def hand_to(self, handler: MessageHandler | None) -> None:
        self.handler = handler

    def ping(self) -> None:
        self.pings += 1
        self.awaits_pong = not self.answers
        if self.answers and self.on_pong is not None:
            self.on_pong()

    def close(self, why: CloseCode, reason: str | None = None) -> None:
        self.close_raw(why.code, why.reason if reason is None else reason)

    def close_raw(self, code: int, reason: str) -> None:
        if self.is_open:
            self.is_open = False
            self.ended = (code, reason)
            self.closes.append((code, reason))

    def lose(self) -> None:
        """End the connection without a close frame."""
        self.is_open = False
