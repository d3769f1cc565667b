"""Connects a page that returns to its session with the signalling server that its token names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import structlog

from pixelfleet.fleet.returning import Refused, Resuming
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.net.relay import Relay
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.service.lifecycle import Tasks

log = structlog.get_logger(__name__)

UNAVAILABLE_FROM: Final = 500
"""Statuses from here on, and 429, mean that the server may take the page later."""

TOO_MANY: Final = 429


Returned = Literal["ok", "failed", "refused"]
"""The outcomes of a page's return: its server answered, did not, or the token is not valid."""


def refusal_of(error: DialError) -> CloseCode:
    """Return the close code for a page whose signalling server could not be dialled."""
    if error.status and error.status != TOO_MANY and error.status < UNAVAILABLE_FROM:
        return close_codes.SESSION_GONE
    return close_codes.SERVICE_UNAVAILABLE if error.status else close_codes.STREAM_UNAVAILABLE


@dataclass(slots=True, eq=False)
class Resumption:
    """A page on its way back to its session, then relayed to its signalling server; or one whose token is refused."""

    socket: WebSocket
    returning: Resuming | Refused
    tasks: Tasks
    bounds: Bounds
    """The limits of the connection to the signalling server."""
    budget: EarlyBudget
    on_outcome: Callable[[Returned], None]
    """Called once with the outcome, unless the page leaves before."""
    on_end: Callable[[int, str], None]
    """Called once when the page's socket has closed, with the code and the reason."""
    relay: Relay = field(init=False)
    _cancel: Callable[[], object] | None = None
    """Cancels the dial."""

    def begin(self) -> MessageHandler:
        """Start to dial, or close the page; return the handler of its socket."""
        if isinstance(self.returning, Refused):
            log.info("return refused", why=self.returning.why)
            self.on_outcome("refused")
            self.socket.close(close_codes.SESSION_GONE)
            return _Refused(self.on_end)
        self.relay = Relay(self.socket, on_end=self._ended, budget=self.budget)
        self._cancel = self.tasks.spawn(self._dial(self.returning))
        return self.relay

    async def _dial(self, resuming: Resuming) -> None:
        session = resuming.token.session_id
        try:
            await dial(resuming.url, self.relay.join, self.bounds)
        except DialError as error:
            log.warning("session cannot be resumed", session=session, status=error.status, why=str(error))
            self.on_outcome("failed")
            self.socket.close(refusal_of(error))
        else:
            self._cancel = None  # it would keep the task and its frames in memory
            self.on_outcome("ok")

    def _ended(self, code: int, reason: str) -> None:
        if self._cancel is not None:
            self._cancel()
        self.on_end(code, reason)
        del self.relay  # breaks the reference cycle, so that no garbage collection is needed


@dataclass(slots=True, eq=False)
class _Refused:
    """The handler of the socket of a page that is refused."""

    on_end: Callable[[int, str], None]

    def message(self, data: bytes) -> None:
        """Ignore a message."""

    def closed(self, code: int, reason: str) -> None:
        """Handle the close of the page's socket."""
        self.on_end(code, reason)
