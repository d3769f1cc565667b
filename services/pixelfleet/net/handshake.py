"""The opening handshake of a websocket: parse the request head, get the service's decision, answer."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from picows import WSListener

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.damping import Damper, damping_key
from pixelfleet.net.http import json_refusal
from pixelfleet.net.lost_upgrades import LostUpgrades
from pixelfleet.net.refusal import Refusal, refusal
from pixelfleet.net.request_head import BadHeadError, LostUpgradeError, RequestHead, parse_head, path_of, target_of
from pixelfleet.net.vendor_glue.picows_protocol import open_websocket
from pixelfleet.net.websocket import WebSocket
from pixelfleet.service.deadlines import Deadlines

MAX_UNDECIDED: Final = 4096
"""Requests of a port that may await their decisions at once; further requests are answered with 503."""

MAX_EARLY_BYTES: Final = 16 * 1024
"""Bytes to read from a connection before its decision; the rest stays in the kernel until then."""

log = structlog.get_logger(__name__)


class Accepted(msgspec.Struct, frozen=True):
    """The decision to open a websocket."""

    listener: WSListener
    subprotocol: str = ""
    """One of the subprotocols that the request offers, or an empty string."""

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return HTTPStatus.SWITCHING_PROTOCOLS


Decision = Accepted | Refusal

Admit = Callable[[RequestHead], Decision | Coroutine[Any, Any, Decision]]
"""Decides on a request for a websocket: returns the decision or a coroutine for it.

An HTTPException is answered as JSON; any other error is logged and answered with 500. The coroutine is cancelled when
the client disconnects, or after `Bounds.handshake_seconds`.
"""


Damped = Callable[[RequestHead], bool]
"""Returns whether a request counts for its client, and may be held back (`damping`)."""


class Handshakes:
    """The opening handshakes of a port."""

    def __init__(
        self, admit: Admit, bounds: Bounds, scheme: str, damped: Damped, lost: LostUpgrades, connections: int
    ) -> None:
        """`connections` is the connection limit of the port."""
        self.bounds = bounds
        self.buffer = bytearray(MAX_EARLY_BYTES)
        """The read buffer of all connections: each copies its data before the next one reads."""
        self._admit = admit
        self._scheme = scheme
        self._damped = damped
        self._damper = Damper(min(bounds.hold_seconds, bounds.handshake_seconds / 2), connections)
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._undecided: Deadlines[_Handshake] = Deadlines(bounds.handshake_seconds, self._too_late)

    def begin(self, transport: asyncio.Transport, data: bytes) -> None:
        """Take over a connection with the data read from it: a complete head and any bytes after it."""
        raw, _, early = data.partition(b"\r\n\r\n")
        peer = transport.get_extra_info("peername")
        try:
            head = parse_head(raw, str(peer[0]) if peer else "", self._scheme)
        except BadHeadError as error:
            if isinstance(error, LostUpgradeError):
                path = path_of(target_of(data))
                self._lost.warn(str(peer[0]) if peer else "", path, str(error), self._loop.time())
            _refuse(transport, error.refusal)
            return
        if len(self._undecided) >= MAX_UNDECIDED:
            _refuse(transport, refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many undecided requests"))
        else:
            copy_context().run(self._decide, transport, head, early)  # context variables are set per request

    def _decide(self, transport: asyncio.Transport, head: RequestHead, early: bytes) -> None:
        client = damping_key(head) if self._damped(head) else ""
        try:
            delay = self._damper.delay(client, self._loop.time())
            decision = self._held(head, client, delay) if delay else self._admit(head)
        except Exception as error:  # a bug must not end the server
            decision = json_refusal(error, head)
        if isinstance(decision, Decision):
            self._answer(transport, head, early, decision, client)
            return
        handshake = _Handshake(self, transport, head, early, client, self._loop.create_task(decision))
        transport.set_protocol(handshake)
        self._undecided.add(handshake)
        handshake.task.add_done_callback(partial(self._decided, handshake))

    def _held(self, head: RequestHead, client: str, delay: float) -> Decision | Coroutine[Any, Any, Decision]:
        """Return the decision, or the coroutine that makes it after a delay."""
        if not self._damper.has_room(client):
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, b"too many requests", {"Retry-After": str(int(delay) + 1)})
        return self._later(head, client, delay)

    async def _later(self, head: RequestHead, client: str, delay: float) -> Decision:
        with self._damper.holding(client):
            await asyncio.sleep(delay)
        decision = self._admit(head)
        return decision if isinstance(decision, Decision) else await decision

    def cancel(self, handshake: "_Handshake") -> None:
        """Cancel the decision on a connection that was lost."""
        self._undecided.discard(handshake)
        handshake.task.cancel()

    def close(self) -> None:
        """Close all connections."""
        for handshake in self._undecided.stop():
            handshake.transport.abort()

    def _decided(self, handshake: "_Handshake", task: asyncio.Task[Decision]) -> None:
        self._undecided.discard(handshake)
        transport, head = handshake.transport, handshake.head
        if task.cancelled():
            return
        try:
            decision = task.result()
        except Exception as error:
            decision = json_refusal(error, head)
        if not transport.is_closing():
            transport.resume_reading()  # before the answer: a protocol error in `early` pauses it for good
            self._answer(transport, head, handshake.early, decision, handshake.client)

    def _answer(
        self, transport: asyncio.Transport, head: RequestHead, early: bytes, decision: Decision, client: str
    ) -> None:
        now = self._loop.time()
        if isinstance(decision, Refusal):
            if client:
                self._damper.ended(client, now)
            _refuse(transport, decision)
        else:
            if client and isinstance(decision.listener, WebSocket):
                decision.listener.on_close = partial(self._closed, client, now)
            open_websocket(transport, head.key, early, decision.listener, decision.subprotocol, self.bounds)

    def _closed(self, client: str, answered: float) -> None:
        self._damper.closed(client, answered, self._loop.time())

    def _too_late(self, handshake: "_Handshake") -> None:
        handshake.task.cancel()
        log.warning("admission timed out", path=handshake.head.path)
        _refuse(handshake.transport, refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no decision in time"))


class _Handshake(asyncio.BufferedProtocol):
    """A connection that awaits the decision; it buffers what the client sends until then."""

    __slots__ = ("_handshakes", "client", "early", "head", "task", "transport")

    def __init__(
        self,
        handshakes: Handshakes,
        transport: asyncio.Transport,
        head: RequestHead,
        early: bytes,
        client: str,
        task: asyncio.Task[Decision],
    ) -> None:
        self._handshakes = handshakes
        self.transport = transport
        self.head = head
        self.early = early
        self.client = client
        """The key of the client for the damper; empty if it is exempt."""
        self.task = task

    def get_buffer(self, sizehint: int) -> Any:
        """Return the buffer that all handshakes share."""
        return self._handshakes.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Store early data, and pause reading when the limit is reached."""
        self.early += self._handshakes.buffer[:nbytes]
        if len(self.early) >= MAX_EARLY_BYTES:
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the decision."""
        self._handshakes.cancel(self)


def _refuse(transport: asyncio.Transport, answer: Refusal) -> None:
    transport.write(answer.encoded())
    transport.close()
