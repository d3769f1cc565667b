"""A peer between its arrival and its `config`, while the TURN API is asked for credentials of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks
from signalserver.core.roster import Admission, Role
from signalserver.metrics import Metrics

MAX_KEPT_BYTES: Final = 256 * 1024
MAX_KEPT_MESSAGES: Final = 256
"""What a peer may say before it has its `config`; a page says two or three things. One that says more is closed."""

TakeIn = Callable[[bytes], MessageHandler]
"""Takes a peer in, given its `config` message; returns who hears of its socket from then on."""


class ConfigWait:
    """Keeps what a peer says meanwhile, and says it in its name as soon as the peer is taken in."""

    def __init__(
        self,
        socket: WebSocket,
        role: Role,
        take_in: TakeIn,
        waits: "set[ConfigWait]",
        metrics: Metrics,
        admission: Admission | None = None,
    ) -> None:
        """Begin to wait; `waits` holds all that do."""
        self.role = role
        self.admission = admission
        self._socket = socket
        self._take_in = take_in
        self._waits = waits
        self._metrics = metrics
        self._kept: list[bytes] = []
        self._bytes = 0
        self._cancel: Callable[[], object] = lambda: None
        waits.add(self)

    def begin(self, asked: Coroutine[Any, Any, bytes], tasks: Tasks) -> None:
        """Take the peer in when the answer is there; it always comes, and soon."""
        self._cancel = tasks.spawn(self._run(asked))

    def message(self, data: bytes) -> None:
        """Keep a message."""
        self._kept.append(data)
        self._bytes += len(data)
        if self._bytes > MAX_KEPT_BYTES or len(self._kept) > MAX_KEPT_MESSAGES:
            self._kept.clear()
            self._socket.close(close_codes.RATE_LIMITED)

    def closed(self, code: int, reason: str) -> None:
        """Give up: the peer was never taken in."""
        self._cancel()
        self._waits.discard(self)
        self._metrics.closed(self.role, code)

    async def _run(self, asked: Coroutine[Any, Any, bytes]) -> None:
        try:
            config = await asked
        except asyncio.CancelledError:
            self._socket.close(close_codes.RESTARTING)
            raise
        self._waits.discard(self)
        if not self._socket.is_open:
            return
        handler = self._take_in(config)
        self._socket.hand_to(handler)
        for data in self._kept:
            if self._socket.is_open:
                handler.message(data)
