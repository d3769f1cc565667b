"""A player at the matchmaker: waits in the queue, is joined to its streamer, and leaves."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from matchmaker import messages
from matchmaker.broker import Broker
from matchmaker.metrics import Metrics
from matchmaker.queue.positions import Place
from matchmaker.session_urls import session_url
from pixelfleet.fleet.model import Lease, StreamerReport, Ticket
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.relay import Relay
from pixelfleet.net.websocket import CLOSE_GRACE_SECONDS, MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks

log = structlog.get_logger(__name__)

LINGER_SECONDS: Final = 5.0
"""How long a stock server that did not answer our goodbye may take to notice that its player is gone: until then
nobody else is sent there."""

CONFLICT: Final = 409
"""How a signalling server refuses a player whose slot was taken all the same."""


class Context(Protocol):
    """What all players of a replica share."""

    broker: Broker
    tasks: Tasks
    metrics: Metrics
    upstream_bounds: Bounds
    session_key: str | None
    now: Callable[[], float]
    """The loop's clock."""
    tls: ssl.SSLContext | None

    def forget(self, player: "Player") -> None:
        """A player's socket is gone."""

    def dialled(self, streamer: StreamerReport, error: DialError | None) -> None:
        """Take note of how a dial went."""


@dataclass(slots=True, eq=False)
class Player:
    """One player's socket, from its arrival to its end."""

    context: Context
    socket: WebSocket
    ticket: Ticket
    passed_on: dict[str, str]
    place: Place | None = None
    came: float = 0.0
    lease: Lease | None = None
    relay: Relay = field(init=False)
    _joining: bool = True
    _cancel: Callable[[], object] | None = None
    """Ends the dial that is under way."""
    joined: float = 0.0
    """When it was with its streamer, on the loop's clock."""
    left: float | None = None
    """When its socket was gone, on the loop's clock."""

    def begin(self) -> MessageHandler:
        """Say hello and join the queue."""
        self.came = self.context.now()
        self.relay = Relay(self.socket, on_end=self._ended, on_upstream_lost=self._upstream_lost)
        self.socket.send(messages.WELCOME)
        self._cancel = self.context.tasks.spawn(self._arrive())
        return self

    # -- the player's socket ------------------------------------------------------------------------

    def message(self, data: bytes) -> None:
        """Pass a message on; while there is nobody to pass it to, answer pings and keep the rest."""
        if self._answers_pings() and (pong := messages.pong_for(data)) is not None:
            self.socket.send(pong)
        else:
            self.relay.message(data)

    def closed(self, code: int, reason: str) -> None:
        """The player is gone."""
        self.relay.closed(code, reason)

    def _answers_pings(self) -> bool:
        """A stock server of 5.0 to 5.4 closes a player for a `ping`, and pages ping every 30 s."""
        return self.relay.up is None or (self.lease is not None and self.lease.streamer.stock)

    # -- the broker ---------------------------------------------------------------------------------

    def waits(self) -> None:
        """Hear that it is in the queue (again)."""
        if self.lease is None:
            log.info("player waits", session=self.ticket.session_id, app=self.ticket.app, wants=self.ticket.wants)
        else:
            self.lease = None
            self.socket.send(messages.queued(messages.STREAMER_LOST))

    def moved(self, place: Place) -> None:
        """Tell the player its place, when that has changed."""
        if place != self.place:
            self.place = place
            self.socket.send(messages.queued(messages.WAITING, place))

    def store_lost(self) -> None:
        """Tell the player that it waits on, though nobody is matched."""
        self.socket.send(messages.queued(messages.STORE_LOST))

    def store_found(self) -> None:
        """Tell the player that it waits as before."""
        self.socket.send(messages.queued(messages.WAITING, self.place))

    def matched(self, lease: Lease) -> None:
        """Dial the streamer's signalling server."""
        self.place = None
        self.lease = lease
        if self.left is None and not self._joining:
            self._cancel = self.context.tasks.spawn(self._dial(lease))

    def overdue(self) -> None:
        """Close: it has waited for as long as anybody may."""
        self.socket.send(messages.queued(close_codes.QUEUE_TIMEOUT.reason))
        self.socket.close(close_codes.QUEUE_TIMEOUT)

    def refused(self, why: str) -> None:
        """Close: what it asks for is one choice too many."""
        self.socket.send(messages.refused(why))
        self.socket.close(close_codes.FULL)

    def ended(self) -> None:
        """Close for an operator, and for good."""
        self.socket.send(messages.refused(close_codes.SESSION_OVER.reason))
        self.socket.close(close_codes.SESSION_OVER)

    # -- inside -------------------------------------------------------------------------------------

    async def _arrive(self) -> None:
        """Join the queue and dial, if there is a streamer at once."""
        if self.left is not None:
            return  # before this task had its first turn: nobody would say that it has left
        await self.context.broker.join(self)
        self._joining = False
        if self.lease is not None and self.left is None:
            await self._dial(self.lease)

    async def _dial(self, lease: Lease) -> None:
        streamer, broker, now = lease.streamer, self.context.broker, self.context.now
        if not broker.may_dial():
            await broker.give_back(self.ticket.session_id, unreachable=False)
            return
        self.context.metrics.waited(self.ticket.app, now() - self.came)
        self.socket.send(messages.matched(streamer))
        started = now()
        try:
            await dial(
                session_url(lease, self.context.session_key, self.passed_on),
                self.relay.join,
                self.context.upstream_bounds,
                tls=self.context.tls if streamer.stock else None,
            )
        except DialError as error:
            log.warning(
                "streamer cannot be reached", session=self.ticket.session_id, streamer=streamer.key, why=str(error)
            )
            taken = error.status == CONFLICT
            self.context.dialled(streamer, None if taken else error)
            await broker.give_back(self.ticket.session_id, unreachable=not taken)
        else:
            self.context.metrics.dial_took(now() - started)
            if self.relay.up is None:
                return  # it was closed as soon as it was open: what becomes of the player has been seen to
            self.context.dialled(streamer, None)
            broker.arrived(self.ticket.session_id)
            self.joined = now()
            log.debug("player joined its streamer", session=self.ticket.session_id, streamer=streamer.key)

    def _upstream_lost(self, code: int, reason: str) -> None:
        """The streamer's side went first. A player that has heard nothing from there yet simply waits again."""
        if self.left is not None:
            late = self.context.now() - self.left >= CLOSE_GRACE_SECONDS
            if late:
                self.context.tasks.spawn(self._linger())
            else:
                self.context.broker.leave(self.ticket.session_id)
        elif not self.relay.delivered and self.lease is not None and self.context.broker.knows(self.ticket.session_id):
            log.warning("streamer closed before it began", session=self.ticket.session_id, code=code, reason=reason)
            self.joined = 0.0
            self.context.dialled(self.lease.streamer, DialError(reason or str(code)))
            self.context.tasks.spawn(self.context.broker.give_back(self.ticket.session_id, unreachable=True))
        else:
            self.relay.pass_on_end(code, reason)

    async def _linger(self) -> None:
        await asyncio.sleep(LINGER_SECONDS)
        self.context.broker.leave(self.ticket.session_id)

    def _ended(self, code: int, reason: str) -> None:
        self.left = self.context.now()
        if self._cancel is not None and not self._joining:
            self._cancel()
        self.context.forget(self)
        if self.relay.up is None:
            self.context.broker.leave(self.ticket.session_id)
        # else: a slot is free once the streamer's side is closed too, and not before
        # The one line that a session leaves says all of it: a line for each step would cost more than the steps.
        log.info(
            "player left",
            session=self.ticket.session_id,
            app=self.ticket.app,
            streamer=self.lease.streamer.key if self.lease is not None else "",
            waited=round((self.joined or self.left) - self.came, 3),
            played=round(self.left - self.joined, 3) if self.joined else 0,
            code=code,
            reason=reason,
        )
