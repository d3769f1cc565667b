"""The peers that wait for their `config` while the TURN API creates their credentials."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks
from signalserver.core.roster import Admission, Role
from signalserver.metrics import Metrics
from signalserver.rtc_config import RtcConfigSource

MAX_BUFFERED_BYTES: Final = 256 * 1024
MAX_BUFFERED_MESSAGES: Final = 256
"""A peer that sends more before it has its `config` is closed; a page sends two or three messages."""

AddPeer = Callable[[bytes], MessageHandler]
"""Adds a peer to the hub with its `config` message; returns the next handler of its websocket."""


class ConfigWaits:
    """The waits of a server."""

    def __init__(self, config: RtcConfigSource, metrics: Metrics, tasks: Tasks) -> None:
        self._config = config
        self._metrics = metrics
        self._tasks = tasks
        self._waits: set[ConfigWait] = set()

    def connect(
        self,
        socket: WebSocket,
        role: Role,
        add_peer: AddPeer,
        *,
        admission: Admission | None = None,
        session_id: str | None = None,
        first: Coroutine[Any, Any, None] | None = None,
    ) -> MessageHandler:
        """Add a peer with its `config` message: now, or when the TURN API has returned its credentials.

        The session of the admission occupies its slot during this wait. `session_id` is the session of a peer whose
        slot is occupied anyway. `first` is what the peer waits for before that.
        """
        config = self._config.immediate_message()
        if config is not None and first is None:
            return add_peer(config)
        turn_role = None if role is Role.PLAYER else "streamer"
        name = session_id or (admission.session_id if admission is not None else uuid.uuid4().hex)
        wait = ConfigWait(socket, role, add_peer, self._waits, self._metrics, admission)
        request = self._config.for_session(name, role=turn_role)
        wait.begin(request if first is None else _after(first, request), self._tasks)
        return wait

    def players(self) -> int:
        """Return how many players wait."""
        return sum(wait.role is Role.PLAYER for wait in self._waits)

    def admissions(self) -> Iterator[Admission | None]:
        """Return the admissions of those that wait."""
        return (wait.admission for wait in self._waits)


async def _after(first: Coroutine[Any, Any, None], request: Coroutine[Any, Any, bytes]) -> bytes:
    try:
        await first
    except BaseException:
        request.close()
        raise
    return await request


class ConfigWait:
    """Buffers the messages of a peer that waits, and delivers them once the peer is added."""

    def __init__(
        self,
        socket: WebSocket,
        role: Role,
        add_peer: AddPeer,
        waits: "set[ConfigWait]",
        metrics: Metrics,
        admission: Admission | None = None,
    ) -> None:
        """Add this wait to `waits`, the set of all waits of the server; it is removed at the end."""
        self.role = role
        self.admission = admission
        self._socket = socket
        self._add_peer = add_peer
        self._waits = waits
        self._metrics = metrics
        self._buffered: list[bytes] = []
        self._bytes = 0
        self._cancel: Callable[[], object] = lambda: None
        waits.add(self)

    def begin(self, request: Coroutine[Any, Any, bytes], tasks: Tasks) -> None:
        """Add the peer when the request returns its `config`. The request has a timeout and a fallback of its own."""
        self._cancel = tasks.spawn(self._run(request))

    def message(self, data: bytes) -> None:
        """Buffer a message."""
        self._buffered.append(data)
        self._bytes += len(data)
        if self._bytes > MAX_BUFFERED_BYTES or len(self._buffered) > MAX_BUFFERED_MESSAGES:
            self._buffered.clear()
            self._socket.close(close_codes.RATE_LIMITED)

    def closed(self, code: int, reason: str) -> None:
        """Cancel the request: the peer left before it was added."""
        self._cancel()
        self._waits.discard(self)
        self._metrics.closed(self.role, code)

    async def _run(self, request: Coroutine[Any, Any, bytes]) -> None:
        try:
            config = await request
        except asyncio.CancelledError:
            self._socket.close(close_codes.RESTARTING)
            raise
        self._waits.discard(self)
        if not self._socket.is_open:
            return
        handler = self._add_peer(config)
        self._socket.hand_to(handler)
        for data in self._buffered:
            if self._socket.is_open:
                handler.message(data)
