"""A player of a router whose page returns to its session: it is connected to its signalling server at once.

No matchmaker takes part, and no access policy is asked: the token is the proof that its holder was admitted.
"""

from dataclasses import dataclass, field

import structlog

from pixelfleet.fleet.resumption import Resumption
from pixelfleet.fleet.returning import Refused, Resuming
from pixelfleet.fleet.session_spans import SESSION_ID, close
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.protocol.endings import ending_of
from router.player import Arrival, Context

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class ReturningPlayer:
    """One player that returns to its session, or whose token is refused."""

    players: Context
    socket: WebSocket
    arrival: Arrival
    returning: Resuming | Refused
    began_at: float = field(init=False)
    """On the loop's clock."""

    def begin(self) -> MessageHandler:
        """Start to dial the signalling server, or close the player; return the handler of its socket."""
        players = self.players
        self.began_at = players.now()
        if isinstance(self.returning, Resuming):
            self.arrival.span.set({SESSION_ID: self.returning.token.session_id})
        resumption = Resumption(
            self.socket,
            self.returning,
            players.tasks,
            players.server_bounds,
            players.early_budget,
            on_outcome=players.returned,
            on_end=self._ended,
        )
        return resumption.begin()

    def _ended(self, code: int, reason: str) -> None:
        ending = ending_of(code)
        self.players.forget(self, ending)
        if isinstance(self.returning, Resuming):
            session, played = self.returning.token.session_id, round(self.players.now() - self.began_at, 3)
            log.info("player left", session=session, played=played, ending=ending.value, code=code, reason=reason)
        close(self.arrival.span, code)
