"""One player's connection: it waits in the queue, and is then handed to its router or relayed to its streamer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from matchmaker import messages
from matchmaker.legacy.conversation import LegacyConversation, for_page
from matchmaker.notices import Ended, Matched, Moved, Notice, Refused, StoreAvailable, StoreUnavailable
from matchmaker.place import NO_PLACE, Place
from matchmaker.player_context import Context
from matchmaker.queue.positions import QueuePosition, steady
from matchmaker.refusals import close_code_of
from matchmaker.router_leg import RouterLeg
from matchmaker.session_log import log_closed_early, log_connected, log_end, log_unreachable
from matchmaker.session_spans import NO_SPANS, SessionSpans
from pixelfleet.fleet.handover import Arrived, Destination, Failed
from pixelfleet.fleet.model import Lease, Ticket
from pixelfleet.fleet.session_spans import DIAL, HANDOVER
from pixelfleet.fleet.store import KickedError, NothingServesError, PlaceLostError, TicketRefusedError
from pixelfleet.net.confirmation import Confirmation
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.relay import MAX_EARLY_BYTES, MAX_QUEUED_BYTES, Relay
from pixelfleet.net.websocket import CLOSE_GRACE_SECONDS, MessageHandler, WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.endings import ending_of
from pixelfleet.protocol.messages import pong_for
from pixelfleet.service.tracing import trace_headers

log = structlog.get_logger(__name__)

OWN_DIAL_SECONDS: Final = 4.0
"""A replica dials after its router only within this time of the match, so that its dial ends before the lease."""

CONFLICT: Final = 409
"""HTTP status of a signalling server whose slot is occupied despite the lease."""
LEGACY_SESSION: Final = "nobody can join a session of a legacy server"


@dataclass(slots=True, eq=False)
class Player:
    """One player's websocket, and its relay to the streamer."""

    context: Context
    socket: WebSocket
    ticket: Ticket
    passed_on: dict[str, str]
    client: str = ""
    """The key under which its client is counted."""
    place: Place = NO_PLACE
    position: QueuePosition | None = None
    arrived_at: float = 0.0
    """On the loop's clock, as are `joined_at` and `left_at`."""
    lease: Lease | None = None
    relay: Relay = field(init=False)
    legacy: LegacyConversation | None = None
    """The connection to the streamer, if it belongs to a legacy server."""
    router: RouterLeg | None = None
    """The router that holds the player's socket, if it can take the player over and no relay has begun."""
    spans: SessionSpans = NO_SPANS
    handed_over: bool = False
    """Whether the router has connected the player to its streamer."""
    _joining: bool = True
    _cancel: Callable[[], object] | None = None
    """Cancels the task that dials."""
    _confirmation: Confirmation | None = None
    joined_at: float = 0.0
    """When the streamer's side was connected; 0 before that."""
    left_at: float | None = None
    left_with: int | None = None
    """When the player's socket was closed."""

    def begin(self) -> MessageHandler:
        """Send the first message and join the queue."""
        self.arrived_at = self.context.now()
        self.relay = Relay(
            self.socket,
            on_end=self._ended,
            on_upstream_lost=self._upstream_lost,
            budget=self.context.early_budget,
        )
        self.relay.limit_early(MAX_QUEUED_BYTES)
        if self.router is not None:
            self.router.hold(self._taken_over)
        self.socket.send(messages.WELCOME)
        self._cancel = self.context.tasks.spawn(self._arrive())
        return self

    # -- the player's socket ------------------------------------------------------------------------

    def message(self, data: bytes) -> None:
        """Relay a message. Without a streamer, answer pings and buffer everything else."""
        if self._answers_pings() and (pong := pong_for(data)) is not None:
            self.socket.send(pong)
        else:
            self.relay.message(data)

    def closed(self, code: int, reason: str) -> None:
        """Handle the close of the player's socket."""
        self.relay.closed(code, reason)

    def _answers_pings(self) -> bool:
        """Legacy servers of 5.2 to 5.4 close a player that sends `ping`, and pages send one every 30 s."""
        return self.relay.up is None or self.legacy is not None

    # -- the queue ----------------------------------------------------------------------------------

    def notified(self, notice: Notice) -> None:
        """Act on a notice of the broker."""
        match notice:
            case Matched(lease=lease):
                self._cancel = self.context.tasks.spawn(self._play(lease))
            case StoreUnavailable():
                self.socket.send(messages.queued(messages.STORE_UNAVAILABLE))
            case StoreAvailable():
                self.socket.send(messages.waiting(self.position))
            case Refused(error=error):
                self.refused(error)
            case Ended():
                self.ended()
            case Moved():
                self.place.take(self)

    def moved(self, position: QueuePosition) -> None:
        """Send the player its position, or that nothing serves it, when that has changed noticeably."""
        position = steady(self.position, position)
        if position != self.position:
            self.position = position
            self.socket.send(messages.waiting(position))

    def expire(self) -> None:
        """Close the player: it has waited for the longest allowed time."""
        self.socket.send(messages.queued(close_codes.QUEUE_TIMEOUT.reason))
        self.socket.close(close_codes.QUEUE_TIMEOUT)

    def refused(self, error: TicketRefusedError) -> None:
        """Close the player: the store refuses its ticket."""
        if isinstance(error, PlaceLostError):
            self.socket.close(close_codes.SESSION_GONE)
            return
        self.socket.send(messages.refused(str(error)))
        self.socket.close(close_code_of(error))

    def ended(self) -> None:
        """Close the player, which does not reconnect: an operator ended its session, or a recent one."""
        self.socket.send(messages.refused(close_codes.KICKED.reason))
        self.socket.close(close_codes.KICKED)

    # -- internal -----------------------------------------------------------------------------------

    async def _arrive(self) -> None:
        """Join the queue, and dial when a streamer is free."""
        if self.left_at is not None:
            return  # closed before this task started: nothing would remove the ticket
        try:
            lease = await self.context.broker.join(self.ticket, returns=self.place.returned)
        except TicketRefusedError as error:
            self.refused(error)
            return
        except KickedError:
            self.ended()
            return
        finally:
            self._joining = False
        if lease is not None:
            await self._play(lease)
        elif self.left_at is None:
            self.place.waits(self)

    async def _play(self, lease: Lease | None) -> None:
        """Dial the streamer of a lease; after a failure, dial the one of the next lease, until there is none."""
        while lease is not None and self.left_at is None:
            self.position, self.lease = None, lease
            self.relay.limit_early(MAX_EARLY_BYTES)
            lease = await self._dial(lease)

    async def _dial(self, lease: Lease) -> Lease | None:
        """Dial a streamer; after a failure, return another lease if there is one."""
        streamer, broker, now = lease.streamer, self.context.broker, self.context.now
        if streamer.legacy and self.ticket.invite is not None:
            self.refused(NothingServesError(LEGACY_SESSION))
            return None
        if not broker.may_dial():
            await asyncio.sleep(0)  # a store in this process may return the same lease repeatedly, without yielding
            return await self._give_back(unreachable=False)
        self.context.metrics.matched(self.ticket.app, now() - self.arrived_at)
        self.socket.send(messages.matched(streamer))
        self.spans.matched(lease)
        self.legacy = LegacyConversation(self.relay, streamer, self.context.dialects) if streamer.legacy else None
        started = now()
        url = self.place.url(self, lease, await broker.seconds_left(self.ticket) if self.ticket.use_limits else 0.0)
        try:
            if not streamer.legacy and self.router is not None and await self._hand_over(self.router, url):
                return None
            headers, tls = trace_headers(self.spans.dials(DIAL)), self.context.tls if streamer.legacy else None
            await dial(url, self._joined, self.context.upstream_bounds, headers=headers, tls=tls)
        except DialError as error:
            log_unreachable(self, error)
            taken = error.status == CONFLICT
            self.context.dialled(streamer, None if taken else error)
            return await self._give_back(unreachable=not taken)
        self.context.metrics.dial_took(now() - started)
        if self.relay.up is None:
            return None  # closed right after it opened: `_upstream_lost` has handled that
        self.context.dialled(streamer, None)
        broker.arrived(self.ticket.session_id)
        self.joined_at = now()
        log_connected(self)
        return None

    def _joined(self, upstream: WebSocket) -> MessageHandler:
        """Start to relay to the dialled server; return the handler of its socket."""
        if self.router is not None:
            self.router.relay()
            self.router = None
        handler = self.relay.join(upstream) if self.legacy is None else self.legacy.join(upstream)
        if self.context.confirm_seconds > 0:
            self._confirmation = Confirmation(self.socket, self, self.context.confirm_seconds, self._passed_over)
            if self.legacy is not None:
                self.legacy.excuse(self._confirmation)
            self._confirmation.begin()
        return handler

    def _passed_over(self) -> None:
        """Give up the streamer of a page that did not answer its match; the server is not to blame."""
        log.info("player passed over", session=self.ticket.session_id)
        self.context.metrics.passed_over()
        self.left_at = self.context.now()
        self.relay.close(close_codes.PASSED_OVER)

    async def _hand_over(self, router: RouterLeg, url: str) -> bool:
        """Have the router connect the player to its streamer; return False if this replica has to dial itself.

        A router that got no answer may have no route to the streamer. Raises DialError if the server refused it.
        """
        session, started, now = self.ticket.session_id, self.context.now(), self.context.now
        trace = self.spans.dials(HANDOVER).traceparent
        destination = Destination(url, session, self.context.confirm_seconds, trace)
        match await router.hand_over(destination, self.context.handover_key):
            case Failed(status=0, reason=reason) if now() - started < OWN_DIAL_SECONDS:
                log.warning("router cannot reach the streamer", session=session, why=reason)
                return False
            case Failed(status=status, reason=reason):
                raise DialError(reason, status)
            case None:
                log.warning("router does not answer", session=session)
                self.socket.close(close_codes.RESTARTING)
        return True

    def _taken_over(self, arrived: Arrived) -> None:
        """Record that the router has connected the player; this connection is about to close."""
        assert self.lease is not None
        self.handed_over, self.joined_at = True, self.context.now()
        self.spans.dialled()
        self.context.metrics.dial_took(arrived.seconds)
        self.context.dialled(self.lease.streamer, None)
        self.context.broker.handed_over(self.ticket.session_id)

    async def _give_back(self, *, unreachable: bool) -> Lease | None:
        """Give the lease back to the store; return another one, or None while the player waits again."""
        if not self.context.broker.owns(self.ticket.session_id):  # its server does, which cannot be reached
            self.socket.close(close_codes.STREAM_UNAVAILABLE)
            return None
        try:
            lease = await self.context.broker.give_back(self.ticket.session_id, unreachable=unreachable)
        except TicketRefusedError as error:
            self.refused(error)
            return None
        except KickedError:
            self.ended()
            return None
        if lease is None:
            self.lease = None
            self.relay.limit_early(MAX_QUEUED_BYTES)
            self.socket.send(messages.queued(messages.STREAMER_UNREACHABLE))
            self.place.offer(self)
        return lease

    async def _replace(self) -> None:
        """Give back the lease of a streamer that failed, and dial another one if there is one."""
        await self._play(await self._give_back(unreachable=True))

    def _upstream_lost(self, code: int, reason: str) -> None:
        """Handle the close of the streamer's side. Before its first message, the player waits again."""
        if self._confirmation is not None and self.left_at is None:
            self._confirmation.cancel()
        self._confirmation = None
        if self.place.taken:
            return  # the session goes on over another connection
        if self.left_at is not None:
            late = self.context.now() - self.left_at >= CLOSE_GRACE_SECONDS
            if late:
                self.context.tasks.spawn(self.context.broker.leave_late(self.ticket.session_id, self.left_with))
            else:
                self.context.broker.leave(self.ticket.session_id, code=self.left_with)
        elif not self.relay.delivered and self.lease is not None and self.context.broker.owns(self.ticket.session_id):
            log_closed_early("streamer closed before its first message", self, code, reason)
            self.joined_at = 0.0
            self.context.dialled(self.lease.streamer, DialError(reason or str(code)))
            self._cancel = self.context.tasks.spawn(self._replace())
        elif self.legacy is not None and self.legacy.refuses(code):
            self._cancel = self.context.tasks.spawn(self._refused_by_server(code, reason))
        else:
            self.relay.forward_close(*(for_page(code, reason) if self.legacy is not None else (code, reason)))

    async def _refused_by_server(self, code: int, reason: str) -> None:
        """Count a legacy server that closed the player before an answer as unreachable, and close the player.

        The player cannot get another streamer over this socket: it has received a `config`.
        """
        log_closed_early("legacy server closed its player", self, code, reason)
        if self.lease is not None:
            self.context.dialled(self.lease.streamer, DialError(reason or str(code)))
        await self._give_back(unreachable=True)
        self.context.broker.leave(self.ticket.session_id)  # it must not be matched while its socket closes
        self.socket.close(close_codes.STREAM_UNAVAILABLE)

    def _ended(self, code: int, reason: str) -> None:
        self.left_at, self.left_with, self._confirmation = self.context.now(), code, None
        if self._cancel is not None and not self._joining:
            self._cancel()
        self.context.forget(self)
        if self.relay.up is None:
            self.place.leave(self, code)
        # else: the slot is free once the streamer's side is closed, too
        ending = ending_of(code)
        if not self.handed_over:
            self.context.metrics.left(ending)
        log_end(self, self.left_at, ending, code, reason)
        if self.router is not None:
            self.router.forget()
            del self.relay  # breaks the reference cycles, so that no garbage collection is needed
