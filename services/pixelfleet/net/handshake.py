"""Opening a websocket: parse the request's head, await the decision of the service, answer."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from aiohttp import web
from picows import WSListener

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.http import json_refusal
from pixelfleet.net.refusal import Refusal, refusal
from pixelfleet.net.request_head import BadHeadError, RequestHead, parse_head
from pixelfleet.net.vendor_glue.picows_protocol import open_websocket
from pixelfleet.service.deadlines import Deadlines

MAX_UNDECIDED: Final = 4096
"""Requests of a port that may wait for their decisions at once; more are answered with 503."""

MAX_EARLY_BYTES: Final = 16 * 1024
"""What is read of a connection before its decision; the rest stays in the kernel until then."""

log = structlog.get_logger(__name__)


class Accepted(msgspec.Struct, frozen=True):
    """The decision to open a websocket."""

    listener: WSListener
    subprotocol: str = ""
    """One of those that the request offers, or none."""

    @property
    def status(self) -> int:
        """The HTTP status of this answer."""
        return HTTPStatus.SWITCHING_PROTOCOLS


Decision = Accepted | Refusal

Admit = Callable[[RequestHead], Decision | Coroutine[Any, Any, Decision]]
"""Decides on a request for a websocket: at once, or in a while. An HTTPException that it raises is answered as JSON;
any other error is logged and answered with 500. What it returns to be awaited is cancelled when the client disconnects,
and when it takes longer than a handshake may."""


class Handshakes:
    """The websockets of a port that are being opened."""

    def __init__(self, admit: Admit, bounds: Bounds, scheme: str) -> None:
        self.bounds = bounds
        self.buffer = bytearray(MAX_EARLY_BYTES)
        """What all of them read into: each takes its data out before the next one reads."""
        self._admit = admit
        self._scheme = scheme
        self._loop = asyncio.get_running_loop()
        self._undecided: Deadlines[_Handshake] = Deadlines(bounds.handshake_seconds, self._too_late)

    def begin(self, transport: asyncio.Transport, data: bytes) -> None:
        """Take over a connection of which `data` was read: a whole head, and what came behind it."""
        raw, _, early = data.partition(b"\r\n\r\n")
        peer = transport.get_extra_info("peername")
        try:
            head = parse_head(raw, str(peer[0]) if peer else "", self._scheme)
        except BadHeadError as error:
            _refuse(transport, error.refusal)
            return
        if len(self._undecided) >= MAX_UNDECIDED:
            _refuse(transport, refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests wait"))
        else:
            copy_context().run(self._ask, transport, head, early)  # what is set for one request is not for others

    def _ask(self, transport: asyncio.Transport, head: RequestHead, early: bytes) -> None:
        try:
            decision = self._admit(head)
        except Exception as error:  # one request's bug must cost that request alone
            decision = _error_answer(error, head)
        if isinstance(decision, Decision):
            self._answer(transport, head, early, decision)
            return
        handshake = _Handshake(self, transport, head, early)
        transport.set_protocol(handshake)
        self._undecided.add(handshake)
        handshake.task = self._loop.create_task(decision)
        handshake.task.add_done_callback(partial(self._decided, handshake))

    def end(self, handshake: "_Handshake") -> None:
        """Forget a connection that was lost."""
        self._undecided.discard(handshake)
        handshake.task.cancel()

    def close(self) -> None:
        """Drop all of them."""
        for handshake in self._undecided.stop():
            handshake.transport.abort()

    def _decided(self, handshake: "_Handshake", task: asyncio.Task[Decision]) -> None:
        self._undecided.discard(handshake)
        transport, head = handshake.transport, handshake.head
        if task.cancelled():
            return
        error = task.exception()
        decision = task.result() if error is None else _error_answer(error, head)
        if transport.is_closing():
            return
        if handshake.is_paused:
            transport.resume_reading()  # first, for a breach in what came early stops the reading for good
        self._answer(transport, head, handshake.early, decision)

    def _answer(self, transport: asyncio.Transport, head: RequestHead, early: bytes, decision: Decision) -> None:
        if isinstance(decision, Refusal):
            _refuse(transport, decision)
        else:
            open_websocket(transport, head.key, early, decision.listener, decision.subprotocol, self.bounds)

    def _too_late(self, handshake: "_Handshake") -> None:
        handshake.task.cancel()
        log.warning("no decision on a websocket in time", path=handshake.head.path)
        _refuse(handshake.transport, refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no decision in time"))


class _Handshake(asyncio.BufferedProtocol):
    """A connection that waits for the decision; it keeps what the client sends meanwhile."""

    __slots__ = ("_handshakes", "early", "head", "is_paused", "task", "transport")

    def __init__(self, handshakes: Handshakes, transport: asyncio.Transport, head: RequestHead, early: bytes) -> None:
        self._handshakes = handshakes
        self.transport = transport
        self.head = head
        self.early = early
        self.is_paused = False
        self.task: asyncio.Task[Decision]

    def get_buffer(self, sizehint: int) -> Any:
        """Lend the buffer that all handshakes share."""
        return self._handshakes.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Keep what came early, and stop reading when it is too much."""
        self.early += self._handshakes.buffer[:nbytes]
        if len(self.early) >= MAX_EARLY_BYTES and not self.is_paused:
            self.is_paused = True
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the decision."""
        self._handshakes.end(self)


def _error_answer(error: BaseException, head: RequestHead) -> Refusal:
    """Return the answer to an error of an admission; a bug is logged, and not described to the client."""
    if isinstance(error, web.HTTPException):
        return json_refusal(error, head)
    log.error("upgrade failed", exc_info=error)
    return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error")


def _refuse(transport: asyncio.Transport, answer: Refusal) -> None:
    transport.write(answer.encoded())
    transport.close()
