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
from matchmaker.notices import Ended, Matched, Notice, Refused, StoreFound, StoreLost
from matchmaker.queue.positions import QueuePosition
from matchmaker.session_urls import session_url
from pixelfleet.fleet.model import Lease, StreamerReport, Ticket
from pixelfleet.fleet.store import TooManyChoicesError
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
    position: QueuePosition | None = None
    came: float = 0.0
    lease: Lease | None = None
    relay: Relay = field(init=False)
    _joining: bool = True
    _cancel: Callable[[], object] | None = None
    """Cancels the task that dials."""
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
        return self.relay.up is None or (self.lease is not None and self.lease.streamer.legacy)

    # -- the queue ----------------------------------------------------------------------------------

    def notified(self, notice: Notice) -> None:
        """Act on what happened to the session while this player waited."""
        match notice:
            case Matched(lease=lease):
                self._cancel = self.context.tasks.spawn(self._play(lease))
            case StoreLost():
                self.store_lost()
            case StoreFound():
                self.store_found()
            case Refused(why=why):
                self.refused(why)
            case Ended():
                self.ended()

    def moved(self, position: QueuePosition) -> None:
        """Tell the player its place, when that has changed."""
        if position != self.position:
            self.position = position
            self.socket.send(messages.queued(messages.WAITING, position))

    def store_lost(self) -> None:
        """Tell the player that it waits on, though nobody is matched."""
        self.socket.send(messages.queued(messages.STORE_LOST))

    def store_found(self) -> None:
        """Tell the player that it waits as before."""
        self.socket.send(messages.queued(messages.WAITING, self.position))

    def expire(self) -> None:
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
            return  # before this task had its first turn: nothing would take it out of the queue
        try:
            lease = await self.context.broker.join(self.ticket)
        except TooManyChoicesError as error:
            self.refused(str(error))
            return
        finally:
            self._joining = False
        if lease is not None:
            await self._play(lease)
        elif self.left is None:
            log.info("player waits", session=self.ticket.session_id, app=self.ticket.app, wants=self.ticket.wants)

    async def _play(self, lease: Lease | None) -> None:
        """Dial the streamer of a lease and, when that fails, the next one; return once there is none to dial."""
        while lease is not None and self.left is None:
            self.position, self.lease = None, lease
            lease = await self._dial(lease)

    async def _dial(self, lease: Lease) -> Lease | None:
        """Dial a streamer; return another lease if it cannot be used and there is one at once."""
        streamer, broker, now = lease.streamer, self.context.broker, self.context.now
        if not broker.may_dial():
            await asyncio.sleep(0)  # a store in this process may match the player again at once, again and again
            return await self._give_back(unreachable=False)
        self.context.metrics.waited(self.ticket.app, now() - self.came)
        self.socket.send(messages.matched(streamer))
        started = now()
        try:
            await dial(
                session_url(lease, self.context.session_key, self.passed_on),
                self.relay.join,
                self.context.upstream_bounds,
                tls=self.context.tls if streamer.legacy else None,
            )
        except DialError as error:
            log.warning(
                "streamer cannot be reached", session=self.ticket.session_id, streamer=streamer.key, why=str(error)
            )
            taken = error.status == CONFLICT
            self.context.dialled(streamer, None if taken else error)
            return await self._give_back(unreachable=not taken)
        self.context.metrics.dial_took(now() - started)
        if self.relay.up is None:
            return None  # it was closed as soon as it was open: `_upstream_lost` has dealt with that
        self.context.dialled(streamer, None)
        broker.arrived(self.ticket.session_id)
        self.joined = now()
        log.debug("player joined its streamer", session=self.ticket.session_id, streamer=streamer.key)
        return None

    async def _give_back(self, *, unreachable: bool) -> Lease | None:
        """Return the streamer to the fleet; return another lease, or None while the player waits again."""
        try:
            lease = await self.context.broker.give_back(self.ticket.session_id, unreachable=unreachable)
        except TooManyChoicesError as error:
            self.refused(str(error))
            return None
        if lease is None:
            self.lease = None
            self.socket.send(messages.queued(messages.STREAMER_LOST))
        return lease

    async def _replace(self) -> None:
        """Return a streamer that failed, and dial another one if there is one."""
        await self._play(await self._give_back(unreachable=True))

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
            self._cancel = self.context.tasks.spawn(self._replace())
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
