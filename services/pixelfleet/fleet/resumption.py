"""Connects a page that returns to its session with the signalling server that its token names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from pixelfleet.fleet.returning import Resuming
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


def refusal_of(error: DialError) -> CloseCode:
    """Return the close code for a page whose signalling server could not be dialled."""
    if error.status and error.status != TOO_MANY and error.status < UNAVAILABLE_FROM:
        return close_codes.SESSION_GONE
    return close_codes.SERVICE_UNAVAILABLE if error.status else close_codes.STREAM_UNAVAILABLE


@dataclass(slots=True, eq=False)
class Resumption:
    """A page on its way back to its session, then relayed to its signalling server."""

    socket: WebSocket
    resuming: Resuming
    tasks: Tasks
    bounds: Bounds
    """The limits of the connection to the signalling server."""
    budget: EarlyBudget
    on_dialled: Callable[[DialError | None], None]
    """Called with the outcome of the dial."""
    on_end: Callable[[int, str], None]
    """Called once when the page's socket has closed, with the code and the reason."""
    relay: Relay = field(init=False)
    _cancel: Callable[[], object] | None = None
    """Cancels the dial."""

    def begin(self) -> MessageHandler:
        """Start to dial; return the handler of the page's socket."""
        self.relay = Relay(self.socket, on_end=self._ended, budget=self.budget)
        self._cancel = self.tasks.spawn(self._dial())
        return self.relay

    async def _dial(self) -> None:
        session = self.resuming.token.session_id
        try:
            await dial(self.resuming.url, self.relay.join, self.bounds)
        except DialError as error:
            log.warning("session cannot be resumed", session=session, status=error.status, why=str(error))
            self.on_dialled(error)
            self.socket.close(refusal_of(error))
        else:
            self._cancel = None  # it would keep the task and its frames in memory
            self.on_dialled(None)

    def _ended(self, code: int, reason: str) -> None:
        if self._cancel is not None:
            self._cancel()
        self.on_end(code, reason)
        del self.relay  # breaks the reference cycle, so that no garbage collection is needed
